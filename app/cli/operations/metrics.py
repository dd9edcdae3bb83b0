"""Command `registro metrics`: the figures of `registro status` for Prometheus."""

import logging
from typing import Annotated, Final

import typer

from app.cli.context import Cli, cli_of
from app.cli.operations.status import LIMIT_EVENTS, LIMIT_SECONDS
from app.operations.snapshot import Limits, Snapshot
from app.output.logs import log_event
from app.texts.usage import both
from ledger.errors import InvalidCommandError, LedgerError

LISTEN: Final = "127.0.0.1:9464"
PORT_MAX: Final = 65535
POLL_SECONDS: Final = 0.5
_LOG: Final = logging.getLogger("registro.metrics")


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(metrics)


def metrics(
    context: typer.Context,
    *,
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS:PORT",
            help=both(
                "dove rispondere; fuori da 127.0.0.1 le cifre sono di chiunque arrivi alla porta",
                "where to answer; beyond 127.0.0.1 whoever reaches the port reads the figures",
            ),
        ),
    ] = LISTEN,
    once: Annotated[
        bool,
        typer.Option("--once", help=both("le scrive una volta e finisce", "print them and end")),
    ] = False,
    max_lag_events: LIMIT_EVENTS = None,
    max_lag_seconds: LIMIT_SECONDS = None,
) -> None:
    """Serve the figures of status until stopped; every request looks anew."""
    from app.operations.metrics import SnapshotCollector, exposition, registry_of

    cli = cli_of(context)
    address, port = address_of(listen)
    limits = Limits(events=max_lag_events, seconds=max_lag_seconds)
    if once:
        collector = SnapshotCollector(lambda: _looked(cli), limits, failed=_refuse)
        cli.screen.line(exposition(registry_of(collector)).rstrip("\n"))
        return
    _serve(cli, address, port, limits)


def _refuse(error: LedgerError) -> None:
    raise error


def _serve(cli: Cli, address: str, port: int, limits: Limits) -> None:
    from prometheus_client import start_http_server

    from app.operations.metrics import SnapshotCollector, registry_of

    def failed(error: LedgerError) -> None:
        log_event(_LOG, logging.WARNING, "metrics.unreadable", error=error.code, reason=str(error))

    registry = registry_of(SnapshotCollector(lambda: _looked(cli), limits, failed=failed))
    try:
        server, thread = start_http_server(port, addr=address, registry=registry)
    except OSError as error:
        raise InvalidCommandError(
            subject="metrics", field="--listen", value=f"{address}:{port}", reason=str(error)
        ) from error
    log_event(_LOG, logging.INFO, "metrics.started", address=address, port=server.server_port)
    cli.screen.note(
        cli.tr(
            f"Cifre su http://{address}:{server.server_port}/metrics (fine: Ctrl-C)",
            f"Figures at http://{address}:{server.server_port}/metrics (end: Ctrl-C)",
        )
    )
    try:
        # Without a limit a signal that another thread receives would not be seen here.
        while thread.is_alive():
            thread.join(POLL_SECONDS)
    finally:
        server.shutdown()
        server.server_close()
        log_event(_LOG, logging.INFO, "metrics.stopped")


def _looked(cli: Cli) -> Snapshot:
    # Opened at each look: the server outlives restarts of the database and restored files.
    from app.cli.production.views_place import views_url
    from app.operations.look import look

    ledger = cli.open()
    try:
        return look(cli, ledger, views=views_url(cli))
    finally:
        ledger.store.engine.dispose()


def address_of(text: str) -> tuple[str, int]:
    """Return address and port of `ADDRESS:PORT`; port 0 takes a free one.

    Raises:
        InvalidCommandError: it is no such text.
    """
    address, colon, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    if not colon or not address or not port.isascii() or not port.isdigit():
        reason = "write ADDRESS:PORT"
    elif int(port) > PORT_MAX:
        reason = f"a port is at most {PORT_MAX}"
    else:
        return address, int(port)
    raise InvalidCommandError(subject="metrics", field="--listen", value=text, reason=reason)
