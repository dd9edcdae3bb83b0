"""Command `registro config`: what is set, and where it comes from."""

from typing import Annotated

import typer

from app.cli.context import cli_of
from app.output.table import Column, Table
from app.texts.usage import both

_ORIGINS = {
    "option": ("opzione", "option"),
    "environment": ("variabile", "environment"),
    "file": ("file", "file"),
    "default": ("predefinito", "default"),
}


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    group = typer.Typer(no_args_is_help=True)
    group.command("show", help=both("Mostra le impostazioni.", "Show the settings."))(show)
    root.add_typer(group, name=name)


def show(
    context: typer.Context,
    *,
    origin: Annotated[
        bool,
        typer.Option("--origin", help=both("mostra da dove viene", "show where it comes from")),
    ] = False,
) -> None:
    """Show the settings."""
    cli = cli_of(context)
    found = cli.settings.found
    if cli.json:
        cli.answer(
            {
                "settings": [
                    {
                        "name": one.spec.name,
                        "value": one.shown,
                        "origin": one.kind,
                        "place": one.origin or None,
                    }
                    for one in found
                ]
            }
        )
        return
    columns = [Column(cli.tr("impostazione", "setting")), Column(cli.tr("valore", "value"))]
    rows = [[one.spec.name, one.shown or "-"] for one in found]
    if origin:
        columns.append(Column(cli.tr("origine", "origin")))
        for row, one in zip(rows, found, strict=True):
            row.append(f"{cli.tr(*_ORIGINS[one.kind])} {one.origin}".strip())
    cli.screen.table(Table(columns=columns, rows=rows))
