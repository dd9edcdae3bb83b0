"""Names of the events, for the audit trail, explanations and the screens that list records.

Completeness over all event classes is tested; the English name is the one of the class, which the
documentation and the schemas use.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Lang

EVENTS_IT: Final[Mapping[str, str]] = {
    "ActAdopted": "Atto adottato",
    "ActReferenceCorrected": "Citazione di un atto corretta",
    "AssignmentClosed": "Assegnazione chiusa",
    "BodyAssigned": "Registro assegnato all'ente",
    "CriterionExamined": "Criterio esaminato",
    "DocumentPublished": "Documento pubblicato",
    "FactBlock": "Blocco di fatti",
    "FactSourceDeclared": "Fonte di fatti dichiarata",
    "FigurePublished": "Cifra pubblicata",
    "FigureRestated": "Cifra rettificata",
    "FindingAnswered": "Risposta a un rilievo",
    "FindingRaised": "Rilievo sollevato",
    "FlowNodeDefined": "Nodo dei flussi definito",
    "GuidelineAdopted": "Linea guida adottata",
    "GuidelineCarriedOver": "Linea guida riportata",
    "GuidelineLinked": "Linea guida collegata",
    "GuidelineStatusReported": "Stato di una linea guida",
    "HoldPlaced": "Blocco alla cancellazione posto",
    "HoldReleased": "Blocco alla cancellazione tolto",
    "HomogenisationCoefficientSet": "Coefficiente di omogeneizzazione fissato",
    "IncentiveScaleSet": "Scala di incentivazione fissata",
    "IndicatorDefined": "Indicatore definito",
    "IndicatorMethodChanged": "Metodo dell'indicatore cambiato",
    "LedgerOpened": "Registro aperto",
    "MeasureCountsReported": "Numero di misure dichiarato",
    "MeasureMonitored": "Misura controllata",
    "MeasureSet": "Misura fissata",
    "MeasurementSystemAdopted": "Sistema di misurazione adottato",
    "MoneyFlowRecorded": "Flusso di denaro registrato",
    "ObjectiveAssigned": "Obiettivo assegnato",
    "PeriodClosed": "Periodo chiuso",
    "PeriodOpened": "Periodo aperto",
    "ProductCatalogued": "Prodotto inserito nel catalogo",
    "ProgrammaticReportApproved": "Relazione programmatica approvata",
    "ProgrammingCycleOpened": "Ciclo aperto",
    "ProjectApproved": "Progetto approvato",
    "ProjectClosed": "Progetto chiuso",
    "ProjectMilestoneChanged": "Tappa spostata",
    "ProjectProgressReported": "Avanzamento di un progetto",
    "ProjectRoleAssigned": "Ruolo in un progetto assegnato",
    "ReplayRun": "Ricalcolo registrato",
    "ReportNotValidated": "Relazione non validata",
    "ReportValidated": "Relazione validata",
    "ResultRecorded": "Risultato registrato",
    "RetentionTermSet": "Termine di conservazione fissato",
    "RiskAssessed": "Rischio valutato",
    "RiskCountsReported": "Numero di rischi dichiarato",
    "RiskReassessed": "Rischio rivalutato",
    "RiskRegistered": "Rischio iscritto",
    "ScenarioPublished": "Scenario pubblicato",
    "SchemaReleased": "Schema rilasciato",
    "SigningKeyPublished": "Chiave di firma pubblicata",
    "StrategicAddressDeclared": "Indirizzo strategico dichiarato",
    "SubjectErased": "Soggetto cancellato",
    "TargetRevised": "Valore atteso rivisto",
    "TargetSet": "Valore atteso fissato",
    "UnitClosed": "Unità chiusa",
    "UnitClustered": "Unità assegnata a un cluster",
    "UnitCountsReported": "Numero di unità dichiarato",
    "UnitEstablished": "Unità istituita",
    "UnitParameterAssigned": "Parametro dell'unità assegnato",
    "UnitReorganised": "Unità riorganizzata",
    "ValidationOpened": "Validazione aperta",
    "ValueNodeDefined": "Nodo del valore pubblico definito",
    "WeightSet": "Peso fissato",
    "WorkingCalendarSet": "Calendario lavorativo fissato",
}
"""Italian name of an event by the last part of its stored type."""


def event_text(event_type: str, lang: Lang) -> str:
    """Return the name of an event; an unknown one keeps the last part of its type."""
    name = event_type.rpartition(".")[2]
    return EVENTS_IT.get(name, name) if lang == "it" else name
