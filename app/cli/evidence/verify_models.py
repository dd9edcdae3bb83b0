"""What `registro verify` does with the read models of a ledger: do they say what it says?"""

from dataclasses import dataclass

from app.cli.context import Cli
from app.cli.production.views_place import views_url
from ledger.discrepancy import Discrepancy
from ledger.errors import LedgerError
from projections.runner.comparing import Compared, compare
from projections.runner.standing import existing_views


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """The read models that were compared with the ledger."""

    compared: tuple[Compared, ...]

    @property
    def discrepancies(self) -> tuple[Discrepancy, ...]:
        """Everything in which they differ from the ledger."""
        return tuple(each for one in self.compared for each in one.discrepancies)

    def line(self, cli: Cli) -> str:
        """Return what is said to people."""
        bad = [one.projection for one in self.compared if one.discrepancies]
        if bad:
            return cli.tr(
                f"Modelli di lettura diversi dal registro: {', '.join(bad)}. Si rifanno con "
                "registro rebuild; il registro non ne dipende.",
                f"Read models that differ from the ledger: {', '.join(bad)}. Make them anew with "
                "registro rebuild; the ledger does not depend on them.",
            )
        return cli.tr(
            f"Modelli di lettura come il registro: {len(self.compared)}, di cui ricalcolati "
            f"{sum(one.folded for one in self.compared)}.",
            f"Read models as the ledger: {len(self.compared)}, of which folded anew "
            f"{sum(one.folded for one in self.compared)}.",
        )

    def facts(self) -> list[dict[str, object]]:
        """Return what is answered in JSON."""
        return [
            {
                "projection": one.projection,
                "table": one.table,
                "position": one.position,
                "rows": one.rows,
                "folded": one.folded,
                "clean": not one.discrepancies,
            }
            for one in self.compared
        ]


def check_models(cli: Cli, *, deep: bool) -> Models | None:
    """Compare the read models with the ledger; None when there are none, or no ledger opens.

    Args:
        cli: names the ledger.
        deep: fold all of them anew, also those whose digest fits.

    Raises:
        StoreUnavailableError: they are there and cannot be read.
    """
    try:
        ledger = cli.open()
    except LedgerError:
        # A ledger that does not open is damaged: the check of the store has said so.
        return None
    engine = existing_views(views_url(cli))
    if engine is None:
        return None
    label = cli.tr("modelli di lettura", "read models")
    try:
        with cli.screen.progress(label) as bar:
            found = compare(
                ledger,
                engine,
                deep=deep,
                progress=lambda name, number, total: bar(f"{label}: {name}", number, total),
            )
    finally:
        engine.dispose()
    return Models(compared=found) if found else None
