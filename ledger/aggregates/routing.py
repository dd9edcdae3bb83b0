"""Find the aggregate that an event belongs to.

Invariant: every event type of the catalogue belongs to exactly one aggregate (tested).
"""

from collections.abc import Mapping
from typing import Any, Final

from ledger.aggregates.acts import ACTS
from ledger.aggregates.base import Aggregate
from ledger.aggregates.documents import DOCUMENTS
from ledger.aggregates.identity import IDENTITY, SCHEMAS
from ledger.aggregates.measurement import INDICATORS, SYSTEMS
from ledger.aggregates.organisation import ORGANISATION
from ledger.aggregates.planning import PLANNING
from ledger.aggregates.production import PRODUCTION_SETTINGS, PRODUCTS
from ledger.aggregates.programme import PROGRAMME, REPORTS
from ledger.aggregates.projects import PROJECTS
from ledger.aggregates.results import RESULTS
from ledger.aggregates.retention import RETENTION
from ledger.aggregates.risks import RISK_COUNTS, RISKS
from ledger.aggregates.runs import RUNS
from ledger.aggregates.signing import SIGNING_KEYS
from ledger.aggregates.subjects import HOLDS, SUBJECTS
from ledger.aggregates.validation import INCENTIVES, VALIDATION
from ledger.events.base import Event

ALL: Final[tuple[Aggregate[Any], ...]] = (
    IDENTITY,
    SCHEMAS,
    SIGNING_KEYS,
    ACTS,
    ORGANISATION,
    REPORTS,
    PROGRAMME,
    PLANNING,
    SYSTEMS,
    INDICATORS,
    PROJECTS,
    RESULTS,
    DOCUMENTS,
    VALIDATION,
    INCENTIVES,
    RISKS,
    RISK_COUNTS,
    PRODUCTS,
    PRODUCTION_SETTINGS,
    SUBJECTS,
    HOLDS,
    RETENTION,
    RUNS,
)

_BY_EVENT: Final[Mapping[type[Event], Aggregate[Any]]] = {
    event: aggregate for aggregate in ALL for event in aggregate.events
}


def aggregate_of(event: Event) -> Aggregate[Any]:
    """Return the aggregate that decides about an event."""
    return _BY_EVENT[type(event)]
