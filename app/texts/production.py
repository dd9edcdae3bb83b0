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
        "running_cost": Text(it="costi di gestione, €", en="running cost, EUR"),
    }
)
"""By code, or by the part of the code before the point."""

GAPS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "opening": Text(it="manca la giacenza iniziale", en="the opening stock is missing"),
        "count": Text(it="manca il conteggio", en="the count is missing"),
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
