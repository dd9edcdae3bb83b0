"""Say of a source of facts that the ledger does not know it.

Source: docs/production.md, duplicates; `registro source declare`.
"""

from typing import TYPE_CHECKING

from app.cli.context import Cli
from ledger.aggregates.production import source_stream

if TYPE_CHECKING:
    from ledger.application import LedgerApplication


def warn_if_undeclared(cli: Cli, ledger: "LedgerApplication", source: str) -> None:
    """Warn where nobody declared a source: a mistyped name finds no duplicate.

    Args:
        cli: the run.
        ledger: opened.
        source: as it was given.
    """
    if ledger.store.read_stream(source_stream(source), limit=1):
        return
    remedy = cli.remedy("source declare")
    cli.screen.warn(
        cli.tr(
            f"La fonte {source} non è dichiarata (`{remedy}`): i doppioni si cercano per fonte, "
            "controllare il nome.",
            f"Source {source} is not declared (`{remedy}`): duplicates are looked for by source, "
            "check the name.",
        )
    )
