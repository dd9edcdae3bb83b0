"""Which command records which event: `registro GROUP VERB` to an event class.

Options come from the fields of the class, so that nothing is listed twice. A test checks that every
event that people may record has a command here.
"""

from collections.abc import Mapping
from typing import Final

from app.cli.recording.write_command import WriteCommand, act_identity, closing_sums, one
from ledger.errors import InvalidCommandError
from ledger.events.acts import ActAdopted, ActReferenceCorrected
from ledger.events.base import Event
from ledger.events.measurement import (
    IncentiveScaleSet,
    IndicatorDefined,
    IndicatorMethodChanged,
    MeasurementSystemAdopted,
    UnitParameterAssigned,
    ValueNodeDefined,
)
from ledger.events.organisation import (
    UnitClosed,
    UnitCountsReported,
    UnitEstablished,
    UnitReorganised,
)
from ledger.events.planning import (
    AssignmentClosed,
    GuidelineAdopted,
    GuidelineCarriedOver,
    GuidelineLinked,
    GuidelineStatusReported,
    ObjectiveAssigned,
    ProgrammaticReportApproved,
    ProgrammingCycleOpened,
    StrategicAddressDeclared,
    TargetRevised,
    TargetSet,
    WeightSet,
)
from ledger.events.production import (
    FactSourceDeclared,
    HomogenisationCoefficientSet,
    ProductCatalogued,
    UnitClustered,
    WorkingCalendarSet,
)
from ledger.events.projects import (
    ProjectApproved,
    ProjectClosed,
    ProjectMilestoneChanged,
    ProjectProgressReported,
    ProjectRoleAssigned,
)
from ledger.events.publication import DocumentPublished, FigurePublished, FigureRestated
from ledger.events.results import (
    FlowNodeDefined,
    MoneyFlowRecorded,
    PeriodClosed,
    PeriodOpened,
    ResultRecorded,
)
from ledger.events.risk import (
    MeasureCountsReported,
    MeasureMonitored,
    MeasureSet,
    RiskAssessed,
    RiskCountsReported,
    RiskReassessed,
    RiskRegistered,
)
from ledger.events.validation import (
    CriterionExamined,
    FindingAnswered,
    FindingRaised,
    ReportNotValidated,
    ReportValidated,
    ValidationOpened,
)

COMMANDS: Final[tuple[WriteCommand, ...]] = (
    one(
        "act adopt",
        ActAdopted,
        "organ act_type adopted_on subject",
        "Registra un atto adottato.",
        "Record an act that was adopted.",
        derived=("act_key",),
        relaxed=("effective_from",),
        complete=act_identity,
    ),
    one(
        "act amend-reference",
        ActReferenceCorrected,
        "document_id locator cited correct",
        "Corregge la citazione di un atto in un documento.",
        "Correct how a document cites an act.",
    ),
    one(
        "unit establish",
        UnitEstablished,
        "unit_code unit_type name valid_from",
        "Istituisce un'unità.",
        "Establish a unit.",
    ),
    one(
        "unit reorganise",
        UnitReorganised,
        "unit_code valid_from",
        "Cambia nome, tipo o livello superiore di un'unità.",
        "Change name, type or parent of a unit.",
    ),
    one(
        "unit close",
        UnitClosed,
        "unit_code valid_to",
        "Chiude un'unità e indica chi subentra.",
        "Close a unit and name its successors.",
    ),
    one(
        "unit count",
        UnitCountsReported,
        "unit_type label units",
        "Registra quante unità di un tipo sono dichiarate.",
        "Record how many units of a type are declared.",
    ),
    one(
        "cycle open",
        ProgrammingCycleOpened,
        "year title",
        "Apre il ciclo di un anno.",
        "Open the cycle of a year.",
    ),
    one(
        "cycle report",
        ProgrammaticReportApproved,
        "report_id first_year last_year",
        "Registra la relazione programmatica.",
        "Record the programmatic report.",
    ),
    one(
        "cycle address",
        StrategicAddressDeclared,
        "year address_id programme_code title treatment",
        "Dichiara un indirizzo strategico.",
        "Declare a strategic address.",
    ),
    one(
        "cycle guideline",
        GuidelineAdopted,
        "year code title guideline_class",
        "Adotta una linea guida gestionale.",
        "Adopt a management guideline.",
    ),
    one(
        "cycle link",
        GuidelineLinked,
        "year code address_id",
        "Collega una linea guida a un indirizzo strategico.",
        "Link a guideline to a strategic address.",
    ),
    one(
        "cycle carry",
        GuidelineCarriedOver,
        "from_year from_code to_year to_code",
        "Riporta una linea guida in un altro anno.",
        "Carry a guideline over into another year.",
    ),
    one(
        "cycle progress",
        GuidelineStatusReported,
        "year code",
        "Registra lo stato di una linea guida.",
        "Record the state of a guideline.",
    ),
    one(
        "objective assign",
        ObjectiveAssigned,
        "year code level label",
        "Assegna un obiettivo.",
        "Assign an objective.",
    ),
    one(
        "objective close",
        AssignmentClosed,
        "year parent_code",
        "Chiude l'assegnazione sotto un obiettivo: i pesi devono sommare a 100.",
        "Close the assignment below an objective: weights must sum to 100.",
        derived=("children", "total"),
        complete=closing_sums,
    ),
    one(
        "weight set",
        WeightSet,
        "year parent_code child_code weight basis",
        "Fissa il peso di un obiettivo.",
        "Set the weight of an objective.",
    ),
    one(
        "target set",
        TargetSet,
        "year indicator_code target",
        "Fissa il valore atteso di un indicatore.",
        "Set the target of an indicator.",
    ),
    one(
        "target revise",
        TargetRevised,
        "year indicator_code old_target new_target cause",
        "Rivede un valore atteso; serve un atto (--act).",
        "Revise a target; needs an act (--act).",
    ),
    one(
        "indicator define",
        IndicatorDefined,
        "indicator_code version label measure_unit decimals direction deviation_rule formula "
        "valid_from basis",
        "Definisce un indicatore o una sua versione.",
        "Define an indicator or a version of it.",
    ),
    one(
        "indicator method",
        IndicatorMethodChanged,
        "indicator_code from_version to_version break_in_series comparability",
        "Annuncia un cambio di metodo.",
        "Announce a change of method.",
    ),
    one(
        "indicator system",
        MeasurementSystemAdopted,
        "year model title",
        "Adotta il sistema di misurazione.",
        "Adopt the measurement system.",
    ),
    one(
        "indicator node",
        ValueNodeDefined,
        "year model node_code label",
        "Definisce un nodo del valore pubblico.",
        "Define a node of public value.",
    ),
    one(
        "period open",
        PeriodOpened,
        "year period_from period_to",
        "Apre un periodo di rilevazione.",
        "Open a period of measurement.",
    ),
    one(
        "period close",
        PeriodClosed,
        "year period_from period_to",
        "Chiude un periodo: poi solo correzioni.",
        "Close a period: corrections only afterwards.",
    ),
    one(
        "result record",
        ResultRecorded,
        "year indicator_code",
        "Registra il risultato misurato di un indicatore.",
        "Record the measured result of an indicator.",
    ),
    one(
        "flow define",
        FlowNodeDefined,
        "year node_code label sign",
        "Definisce un nodo dei flussi di denaro.",
        "Define a node of the money flows.",
    ),
    one(
        "flow record",
        MoneyFlowRecorded,
        "year node_code amount",
        "Registra l'importo di un nodo.",
        "Record the amount of a node.",
    ),
    one(
        "project approve",
        ProjectApproved,
        "project_code family title year",
        "Approva un progetto.",
        "Approve a project.",
    ),
    one(
        "project role",
        ProjectRoleAssigned,
        "project_code role unit_code",
        "Assegna un ruolo in un progetto.",
        "Assign a role in a project.",
    ),
    one(
        "project progress",
        ProjectProgressReported,
        "project_code percent",
        "Registra l'avanzamento di un progetto.",
        "Record the progress of a project.",
    ),
    one(
        "project milestone",
        ProjectMilestoneChanged,
        "project_code milestone new_date",
        "Sposta una tappa.",
        "Move a milestone.",
    ),
    one(
        "project close",
        ProjectClosed,
        "project_code result closed_on",
        "Chiude un progetto.",
        "Close a project.",
    ),
    one(
        "document publish",
        DocumentPublished,
        "document_id title published_on",
        "Registra un documento pubblicato.",
        "Record a document that was published.",
    ),
    one(
        "document figure",
        FigurePublished,
        "document_id figure_id label raw measure_unit decimals",
        "Registra una cifra stampata.",
        "Record a printed figure.",
    ),
    one(
        "document restate",
        FigureRestated,
        "document_id figure_id old_value new_value old_vintage new_vintage cause",
        "Registra la rettifica di una cifra.",
        "Record the restatement of a figure.",
    ),
    one(
        "validation open",
        ValidationOpened,
        "report_id year received_on",
        "Apre la validazione di una relazione.",
        "Open the validation of a report.",
    ),
    one(
        "validation examine",
        CriterionExamined,
        "report_id criterion conclusion",
        "Registra l'esame di un criterio.",
        "Record the examination of a criterion.",
    ),
    one(
        "validation find",
        FindingRaised,
        "report_id finding_id severity text",
        "Solleva un rilievo.",
        "Raise a finding.",
    ),
    one(
        "validation answer",
        FindingAnswered,
        "report_id finding_id answer",
        "Risponde a un rilievo.",
        "Answer a finding.",
    ),
    one(
        "validation conclude",
        ReportValidated,
        "report_id validated_on",
        "Valida la relazione.",
        "Validate the report.",
    ),
    one(
        "validation refuse",
        ReportNotValidated,
        "report_id concluded_on reasons",
        "Conclude senza validare, con i motivi.",
        "Conclude without validation, with the reasons.",
    ),
    one(
        "parameter scale",
        IncentiveScaleSet,
        "year scale",
        "Fissa una scala di incentivazione.",
        "Set an incentive scale.",
    ),
    one(
        "parameter assign",
        UnitParameterAssigned,
        "year unit_code scale parameter report_id",
        "Assegna il parametro di un'unità, dopo la validazione.",
        "Assign the parameter of a unit, after the validation.",
    ),
    one(
        "risk register",
        RiskRegistered,
        "risk_id process scope risk_event",
        "Iscrive un rischio.",
        "Register a risk.",
    ),
    one(
        "risk assess",
        RiskAssessed,
        "risk_id method level rationale",
        "Valuta un rischio.",
        "Assess a risk.",
    ),
    one(
        "risk reassess",
        RiskReassessed,
        "risk_id method old_level new_level rationale",
        "Rivaluta un rischio.",
        "Assess a risk again.",
    ),
    one(
        "risk measure",
        MeasureSet,
        "risk_id measure_id measure_type description owner deadline",
        "Fissa una misura specifica con responsabile e scadenza.",
        "Set a specific measure with owner and deadline.",
    ),
    one(
        "risk monitor",
        MeasureMonitored,
        "risk_id measure_id monitored_on state",
        "Registra il controllo di una misura.",
        "Record the check of a measure.",
    ),
    one(
        "risk count-measures",
        MeasureCountsReported,
        "scope measure_type measures",
        "Registra un numero di misure pubblicato senza elenco.",
        "Record a number of measures published without a list.",
    ),
    one(
        "risk count-risks",
        RiskCountsReported,
        "activity scope risks",
        "Registra un numero di rischi pubblicato senza elenco.",
        "Record a number of risks published without a list.",
    ),
    one(
        "product catalogue",
        ProductCatalogued,
        "product label area line valid_from",
        "Inserisce un prodotto nel catalogo della produzione.",
        "Enter a product into the catalogue of production.",
    ),
    one(
        "product coefficient",
        HomogenisationCoefficientSet,
        "product coefficient valid_from",
        "Fissa il coefficiente di omogeneizzazione di un prodotto.",
        "Set the homogenisation coefficient of a product.",
    ),
    one(
        "unit cluster",
        UnitClustered,
        "unit_code cluster valid_from",
        "Assegna una struttura a un cluster.",
        "Assign a unit to a cluster.",
    ),
    one(
        "calendar set",
        WorkingCalendarSet,
        "year month working_days",
        "Fissa i giorni lavorativi di un mese.",
        "Set the working days of a month.",
    ),
    one(
        "source declare",
        FactSourceDeclared,
        "source label window_facts sequential",
        "Dichiara un sistema che invia fatti di produzione.",
        "Declare a system that sends facts of production.",
    ),
)


def commands_of(group: str) -> Mapping[str, WriteCommand]:
    """Return the commands of a group by their verbs."""
    return {command.verb: command for command in COMMANDS if command.group == group}


def event_class(name: str, catalogue: Mapping[str, type[Event]]) -> type[Event]:
    """Return the event class of a full or a short name.

    Raises:
        InvalidCommandError: there is none.
    """
    for full, cls in catalogue.items():
        if name in {full, full.rpartition(".")[2]}:
            return cls
    raise InvalidCommandError(
        subject="event",
        field="type",
        value=name,
        reason=f"there is no such event; one of {', '.join(sorted(catalogue))}",
    )
