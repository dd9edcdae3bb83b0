"""Where the read models of a ledger stand, without loading what reads them."""

from app.cli.context import Cli
from ledger.errors import ConfigurationError
from ledger.store.engine import file_of, store_url


def views_url(cli: Cli) -> str:
    """Return where the read models of the ledger stand, or would stand.

    Raises:
        ConfigurationError: they would stand in the ledger's own file, or their place is none.
    """
    ledger = store_url(cli.settings["ledger"])
    own = file_of(ledger)
    # On a server they are tables of the same database, unless the setting names another one.
    beside = ledger.render_as_string(hide_password=False)
    if own is not None:
        beside = f"{str(own).removesuffix('.db')}.views.db"
    try:
        url = store_url(cli.settings["views"] or beside)
    except ConfigurationError as error:
        # What reads a place does not know whose it is; that of the ledger was read before.
        raise ConfigurationError(setting="views", reason=error.facts["reason"]) from error
    file = file_of(url)
    if own is not None and file is not None and own.absolute() == file.absolute():
        raise ConfigurationError(
            setting="views", reason=f"{file} is the ledger itself: name another file"
        )
    return url.render_as_string(hide_password=False)


def may_exist(cli: Cli) -> bool:
    """Return False when there are surely no read models: the file is not there.

    Raises:
        ConfigurationError: they would stand in the ledger's own file.
    """
    file = file_of(store_url(views_url(cli)))
    return file is None or file.exists()
