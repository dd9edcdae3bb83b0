"""Names of the indicators of production, and of what completeness checks find."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.text import Lang, Text

INDICATORS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "received": Text(it="pervenuto", en="received"),
        "defined": Text(it="definito", en="settled"),
        "closing_stock": Text(it="giacenza finale", en="closing stock"),
        "homogenised_output": Text(it="produzione omogeneizzata", en="homogenised output"),
        "productivity": Text(it="produttività", en="productivity"),
        "outflow": Text(it="indice di deflusso", en="outflow"),
        "backlog_days_a": Text(
            it="giacenza in giorni, variante A", en="backlog in days, variant A"
        ),
        "backlog_days_b": Text(
            it="giacenza in giorni, variante B", en="backlog in days, variant B"
        ),
        "backlog_days_c": Text(
            it="giacenza in giorni, variante C", en="backlog in days, variant C"
        ),
        "automated_share": Text(it="definito in automatico, %", en="settled automatically, %"),
        "mean_days": Text(it="giorni medi di definizione", en="mean days to settlement"),
        "quality": Text(it="qualità", en="quality"),
        "quality_deviation": Text(
            it="qualità, scostamento dal piano, %", en="quality, deviation from plan, %"
        ),
        "survey_mean": Text(it="gradimento medio", en="survey mean"),
        "cost_per_point": Text(
            it="costo per punto omogeneizzato, €", en="cost per homogenised piece, EUR"
        ),
        "profitability": Text(
            it="redditività (flusso / costi di gestione): nodo",
            en="profitability (flow / running cost): node",
        ),
        "running_cost": Text(it="costi di gestione, €", en="running cost, EUR"),
    }
)
"""By code, or by the part of the code before the point."""

GAPS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "no_opening": Text(it="manca la giacenza iniziale", en="the opening stock is missing"),
        "no_count": Text(it="manca il conteggio", en="the count is missing"),
        "several_counts": Text(
            it="più conteggi nello stesso mese", en="several counts in one month"
        ),
    }
)
"""Why the stock equation of a cell cannot be checked."""

FACTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "AppealsCounted": Text(it="ricorsi giacenti", en="appeals waiting"),
        "FlowRecorded": Text(it="flussi di denaro", en="money flows"),
        "MedicalAssessed": Text(it="accertamenti medici", en="medical assessments"),
        "Opening": Text(it="giacenza iniziale", en="opening stock"),
        "PresenceRecorded": Text(it="presenze", en="presence"),
        "QualityMeasured": Text(it="misure di qualità", en="quality measured"),
        "RequestDefined": Text(it="domande definite", en="requests settled"),
        "RequestReassigned": Text(it="domande riassegnate", en="requests reassigned"),
        "RequestReceived": Text(it="domande pervenute", en="requests received"),
        "RunningCostRecorded": Text(it="costi di gestione", en="running costs"),
        "StockAdjusted": Text(it="rettifiche di giacenza", en="stock adjustments"),
        "StockCounted": Text(it="giacenze contate", en="stocks counted"),
        "StockDeclared": Text(it="giacenze dichiarate", en="stocks declared"),
        "SurveyAggregated": Text(it="indagini di gradimento", en="surveys"),
    }
)
"""Kinds of facts by short name, and the stock at the beginning of a period."""

_DETAILS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "calendar": Text(it="calendario", en="calendar"),
        "coefficient": Text(it="coefficiente", en="coefficient"),
    }
)


def indicator_text(code: str, lang: Lang) -> str:
    """Return the name of an indicator; what has no name is shown as its code."""
    head, _, rest = code.partition(".")
    found = INDICATORS.get(head)
    if head.startswith("within_"):
        days = head.removeprefix("within_").removesuffix("_share")
        found = Text(it=f"definito entro {days} giorni, %", en=f"settled within {days} days, %")
    if head == "flow":
        found = Text(it="flusso, €: nodo", en="money flow, EUR: node")
    if found is None:
        return code
    return found.in_(lang) if not rest else f"{found.in_(lang)} {rest}"


def fact_text(short: str, lang: Lang) -> str:
    """Return the name of a kind of fact; an unknown one as it is."""
    found = FACTS.get(short)
    return short if found is None else found.in_(lang)


def month_text(month: int) -> str:
    """Return a month as 2023-05.

    Args:
        month: year * 100 + month.
    """
    return f"{month // 100}-{month % 100:02}"


def detail_text(detail: str, lang: Lang) -> str:
    """Return what an indicator lacks: a kind of fact, a coefficient, a month of the calendar."""
    head, _, rest = detail.partition(" ")
    if not rest:
        return fact_text(head, lang)
    if head not in _DETAILS:
        return detail
    told = month_text(int(rest)) if head == "calendar" and rest.isdigit() else rest
    return f"{_DETAILS[head].in_(lang)} {told}"
