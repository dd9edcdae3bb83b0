"""Words for the codes that screens show: units, stages, steps of a computation, risk, verdicts.

A code without an entry is shown as it is: data folders of other bodies bring codes of their own.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Lang, Text

UNITS: Final[Mapping[str, Text]] = {
    "EUR": Text(it="€", en="EUR"),
    "EUR_MLN": Text(it="mln €", en="EUR million"),
    "EUR_MLD": Text(it="mld €", en="EUR billion"),
    "percent": Text(it="%", en="%"),
    "count": Text(it="n.", en="no."),
    "days": Text(it="giorni", en="days"),
    "index": Text(it="indice", en="index"),
    "points": Text(it="punti", en="points"),
    "ratio": Text(it="rapporto", en="ratio"),
    "score": Text(it="punteggio", en="score"),
}
STAGES: Final[Mapping[str, Text]] = {
    "PLAN": Text(it="piano", en="plan"),
    "BUDGET": Text(it="preventivo", en="budget"),
    "PRE_CONSUNTIVO": Text(it="pre-consuntivo", en="pre-closing"),
    "CONSUNTIVO": Text(it="consuntivo", en="closing"),
    "RENDICONTO": Text(it="rendiconto", en="final account"),
    "HISTORIC": Text(it="storico", en="historic"),
}
STEPS: Final[Mapping[str, Text]] = {
    "recorded": Text(it="risultato registrato", en="recorded result"),
    "flow": Text(it="flusso", en="money flow"),
    "measure": Text(it="misura", en="measure"),
    "constant": Text(it="costante", en="constant"),
    "value": Text(it="valore di", en="value of"),
    "deviation": Text(it="scostamento di", en="deviation of"),
    "achievement": Text(it="raggiungimento di", en="achievement of"),
    "unpublished": Text(it="non ricalcolabile", en="cannot be recomputed"),
    "undefined": Text(it="senza definizione", en="without definition"),
    "weighted_mean": Text(it="media ponderata", en="weighted mean"),
    "children_mean": Text(it="media semplice", en="plain mean"),
    "mean": Text(it="media semplice", en="plain mean"),
    "sum": Text(it="somma", en="sum"),
    "ratio": Text(it="rapporto", en="ratio"),
    "percent": Text(it="in percento", en="as percent"),
    "cap": Text(it="limitato", en="capped"),
    "days": Text(it="giorni", en="days"),
    "per_day": Text(it="al giorno", en="per day"),
}
RISK: Final[Mapping[str, Text]] = {
    "central": Text(it="centrale", en="central"),
    "territorial": Text(it="territoriale", en="territorial"),
    "high": Text(it="alto", en="high"),
    "medium": Text(it="medio", en="medium"),
    "low": Text(it="basso", en="low"),
    "control": Text(it="controllo", en="control"),
    "transparency": Text(it="trasparenza", en="transparency"),
    "regulation": Text(it="regolamentazione", en="regulation"),
    "training": Text(it="formazione", en="training"),
    "rotation": Text(it="rotazione", en="rotation"),
    "simplification": Text(it="semplificazione", en="simplification"),
    "conduct": Text(it="etica e comportamento", en="ethics and conduct"),
    "conflict_of_interest": Text(it="conflitto di interessi", en="conflict of interest"),
    "awareness": Text(it="sensibilizzazione", en="awareness"),
    "reporting": Text(it="segnalazione e protezione", en="reporting and protection"),
    "planned": Text(it="programmata", en="planned"),
    "in_progress": Text(it="in corso", en="in progress"),
    "done": Text(it="attuata", en="done"),
    "not_done": Text(it="non attuata", en="not done"),
    "identified": Text(it="individuati", en="identified"),
    "reassessed": Text(it="rivalutati", en="reassessed"),
    "monitored": Text(it="monitorati", en="monitored"),
}
VERDICTS: Final[Mapping[str, Text]] = {
    "exact": Text(it="esatta", en="exact"),
    "rounding": Text(it="arrotondamento", en="rounding"),
    "inconsistent": Text(it="incoerente", en="inconsistent"),
    "restated": Text(it="rettificata", en="restated"),
    "other_scope": Text(it="altro perimetro", en="other scope"),
    "doubtful": Text(it="dubbia", en="doubtful"),
    "not_computable": Text(it="non calcolabile", en="not computable"),
}
VERDICT_MEANINGS: Final[Mapping[str, Text]] = {
    "exact": Text(
        it="il ricalcolo dà la cifra stampata",
        en="the computation gives the printed figure",
    ),
    "rounding": Text(
        it="la differenza si spiega con l'arrotondamento delle cifre stampate",
        en="the difference follows from the rounding of printed figures",
    ),
    "inconsistent": Text(
        it="nessun arrotondamento spiega la differenza",
        en="no rounding explains the difference",
    ),
    "restated": Text(
        it="cifre di stadi diversi: la differenza è una rettifica",
        en="figures of different stages: the difference is a restatement",
    ),
    "other_scope": Text(it="cifre di perimetri diversi", en="figures of different scopes"),
    "doubtful": Text(
        it="dovrebbero coincidere e non coincidono", en="they should agree and do not"
    ),
    "not_computable": Text(
        it="manca una cifra o un'unità non è confrontabile",
        en="a figure is missing or a unit cannot be compared",
    ),
}


def word(words: Mapping[str, Text], code: str, lang: Lang) -> str:
    """Return the word for a code, or the code itself."""
    text = words.get(code)
    return code if text is None else text.in_(lang)


def unit_text(code: str, lang: Lang) -> str:
    """Return a unit of measure."""
    return word(UNITS, code, lang)


def vintage_text(code: str, lang: Lang) -> str:
    """Return a closing stage."""
    return word(STAGES, code, lang)


def op_text(code: str, lang: Lang) -> str:
    """Return what a step of a computation does."""
    return word(STEPS, code, lang)


def risk_text(code: str, lang: Lang) -> str:
    """Return a scope, a level, a type or a state of the risk register."""
    return word(RISK, code, lang)
