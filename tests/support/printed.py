"""Printed figures and relations for tests of the arithmetic audit, named by what differs."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from projections.arithmetic.audit import audit
from projections.arithmetic.figures import FigureId, PrintedFigure
from projections.arithmetic.relations import Relation, read_relation
from projections.arithmetic.verdict import RelationVerdict

DAY = dt.date(2024, 6, 14)


def printed(
    figure_id: str,
    value: str | None,
    unit: str = "EUR",
    *,
    decimals: int | None = None,
    raw: str | None = None,
) -> PrintedFigure:
    """Return a figure; decimals and raw text follow from `value` unless they are given."""
    written = len((value or "").partition(".")[2])
    return PrintedFigure(
        figure_id=FigureId(figure_id),
        document="doc",
        label=figure_id,
        raw=(value or "n.d.") if raw is None else raw,
        value=None if value is None else Decimal(value),
        unit=unit,
        decimals=written if decimals is None else decimals,
        vintage="CONSUNTIVO",
        as_of=DAY,
        ref_from=DAY,
        ref_to=DAY,
        locator=f"001:{figure_id}",
    )


def claim(kind: str, result: str, operands: str, params: str = "") -> Relation:
    """Return a relation; operands and parameters as `relations.csv` writes them.

    Raises:
        InvalidRelationError: the first of what is wrong with its words.
    """
    found = read_relation(
        relation_id="claim",
        kind=kind,
        result=result,
        operands=operands.split(),
        params=params.split(),
    )
    if isinstance(found, Relation):
        return found
    raise found[0]


def judged(relation: Relation, figures: Sequence[PrintedFigure]) -> RelationVerdict:
    """Return the verdict of one relation."""
    (verdict,) = audit(figures, [relation])
    return verdict
