"""Every event class by its stored type name.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ledger.events.acts import ActAdopted, ActReferenceCorrected
from ledger.events.base import Event
from ledger.events.ledger import BodyAssigned, LedgerOpened, SchemaReleased, SigningKeyPublished
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
from ledger.events.privacy import HoldPlaced, HoldReleased, RetentionTermSet, SubjectErased
from ledger.events.production import (
    FactSourceDeclared,
    HomogenisationCoefficientSet,
    ProductCatalogued,
    ScenarioPublished,
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
from ledger.events.replay import ReplayRun
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

EVENT_TYPES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        ActAdopted.TYPE: ActAdopted,
        ActReferenceCorrected.TYPE: ActReferenceCorrected,
        BodyAssigned.TYPE: BodyAssigned,
        LedgerOpened.TYPE: LedgerOpened,
        SchemaReleased.TYPE: SchemaReleased,
        SigningKeyPublished.TYPE: SigningKeyPublished,
        IncentiveScaleSet.TYPE: IncentiveScaleSet,
        IndicatorDefined.TYPE: IndicatorDefined,
        IndicatorMethodChanged.TYPE: IndicatorMethodChanged,
        MeasurementSystemAdopted.TYPE: MeasurementSystemAdopted,
        UnitParameterAssigned.TYPE: UnitParameterAssigned,
        ValueNodeDefined.TYPE: ValueNodeDefined,
        UnitClosed.TYPE: UnitClosed,
        UnitCountsReported.TYPE: UnitCountsReported,
        UnitEstablished.TYPE: UnitEstablished,
        UnitReorganised.TYPE: UnitReorganised,
        AssignmentClosed.TYPE: AssignmentClosed,
        GuidelineAdopted.TYPE: GuidelineAdopted,
        GuidelineCarriedOver.TYPE: GuidelineCarriedOver,
        GuidelineLinked.TYPE: GuidelineLinked,
        GuidelineStatusReported.TYPE: GuidelineStatusReported,
        ObjectiveAssigned.TYPE: ObjectiveAssigned,
        ProgrammaticReportApproved.TYPE: ProgrammaticReportApproved,
        ProgrammingCycleOpened.TYPE: ProgrammingCycleOpened,
        StrategicAddressDeclared.TYPE: StrategicAddressDeclared,
        TargetRevised.TYPE: TargetRevised,
        TargetSet.TYPE: TargetSet,
        WeightSet.TYPE: WeightSet,
        HoldPlaced.TYPE: HoldPlaced,
        HoldReleased.TYPE: HoldReleased,
        RetentionTermSet.TYPE: RetentionTermSet,
        SubjectErased.TYPE: SubjectErased,
        FactSourceDeclared.TYPE: FactSourceDeclared,
        HomogenisationCoefficientSet.TYPE: HomogenisationCoefficientSet,
        ProductCatalogued.TYPE: ProductCatalogued,
        ScenarioPublished.TYPE: ScenarioPublished,
        UnitClustered.TYPE: UnitClustered,
        WorkingCalendarSet.TYPE: WorkingCalendarSet,
        ProjectApproved.TYPE: ProjectApproved,
        ProjectClosed.TYPE: ProjectClosed,
        ProjectMilestoneChanged.TYPE: ProjectMilestoneChanged,
        ProjectProgressReported.TYPE: ProjectProgressReported,
        ProjectRoleAssigned.TYPE: ProjectRoleAssigned,
        DocumentPublished.TYPE: DocumentPublished,
        FigurePublished.TYPE: FigurePublished,
        FigureRestated.TYPE: FigureRestated,
        ReplayRun.TYPE: ReplayRun,
        FlowNodeDefined.TYPE: FlowNodeDefined,
        MoneyFlowRecorded.TYPE: MoneyFlowRecorded,
        PeriodClosed.TYPE: PeriodClosed,
        PeriodOpened.TYPE: PeriodOpened,
        ResultRecorded.TYPE: ResultRecorded,
        MeasureCountsReported.TYPE: MeasureCountsReported,
        MeasureMonitored.TYPE: MeasureMonitored,
        MeasureSet.TYPE: MeasureSet,
        RiskAssessed.TYPE: RiskAssessed,
        RiskCountsReported.TYPE: RiskCountsReported,
        RiskReassessed.TYPE: RiskReassessed,
        RiskRegistered.TYPE: RiskRegistered,
        CriterionExamined.TYPE: CriterionExamined,
        FindingAnswered.TYPE: FindingAnswered,
        FindingRaised.TYPE: FindingRaised,
        ReportNotValidated.TYPE: ReportNotValidated,
        ReportValidated.TYPE: ReportValidated,
        ValidationOpened.TYPE: ValidationOpened,
    }
)
"""In order of the full name; `python -m schemas check` keeps it in step."""
