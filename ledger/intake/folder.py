"""Read a whole data folder: its card, its tables, and the checks between them.

Invariants:
1. Every problem of every file is found in one pass; nothing is recorded here.
2. A row that fails any check is among the rejected of its table and not among the good ones.

Source: docs/data-folder.md.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from ledger.intake import specs
from ledger.intake.catalogue import FILE as CATALOGUE_FILE
from ledger.intake.catalogue import Catalogue, read_catalogue
from ledger.intake.checks import (
    absent_figures,
    flow_conflicts,
    other_years,
    resting_on_refused,
)
from ledger.intake.dataset import DatasetInfo, list_folder, read_dataset
from ledger.intake.hierarchy import cyclic_rows, dangling_rows
from ledger.intake.problems import Problem
from ledger.intake.rows import (
    ActRow,
    DocumentRow,
    FigureRow,
    FlowRow,
    GuidelineRow,
    MeasureCountRow,
    ObjectiveRow,
    RelationRow,
    RiskCountRow,
    UnitRow,
)
from ledger.intake.tables import RejectedRow, TableResult, TableSpec, digest_of, read_table
from ledger.intake.waiting import (
    flow_needs,
    last_needs,
    objective_needs,
    refused_documents,
    waiting_rows,
)

T = TypeVar("T")

TABLES: Final = (
    "acts.csv",
    "documents.csv",
    "units.csv",
    "ieep.csv",
    "objectives.csv",
    "guidelines.csv",
    "figures.csv",
    "relations.csv",
    "risk_matrix.csv",
    "risk_activity.csv",
)
"""In the order in which they are recorded; every one is optional."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownNames:
    """What rows may refer to because the ledger holds it already."""

    has_document: Callable[[str], bool] = lambda _: False
    """Tells whether a document is published."""
    document_days: frozenset[dt.date] = frozenset()
    """Days of the documents that folders of the year have recorded."""
    units: frozenset[str] = frozenset()
    objectives: frozenset[str] = frozenset()
    flow_nodes: frozenset[str] = frozenset()
    """Nodes of the money flows of the year."""
    guidelines: frozenset[str] = frozenset()
    figures_among: Callable[[Sequence[str]], Collection[str]] | None = None
    """Returns those of some figures that are recorded; None looks for no missing figure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A data folder, read and checked."""

    path: Path
    info: DatasetInfo | None
    """None when the card has problems; then nothing of the folder is recorded."""
    catalogue: Catalogue
    acts: TableResult[ActRow]
    documents: TableResult[DocumentRow]
    units: TableResult[UnitRow]
    flows: TableResult[FlowRow]
    objectives: TableResult[ObjectiveRow]
    guidelines: TableResult[GuidelineRow]
    figures: TableResult[FigureRow]
    relations: TableResult[RelationRow]
    measure_counts: TableResult[MeasureCountRow]
    risk_counts: TableResult[RiskCountRow]
    card_problems: tuple[Problem, ...] = ()
    """Of the card, and warnings about files that nobody reads."""

    @property
    def tables(self) -> tuple[TableResult[Any], ...]:
        """All tables, in the order in which they are recorded."""
        return (
            self.acts,
            self.documents,
            self.units,
            self.flows,
            self.objectives,
            self.guidelines,
            self.figures,
            self.relations,
            self.measure_counts,
            self.risk_counts,
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in order of file and line."""
        return (*self.card_problems, *(one for table in self.tables for one in table.problems))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse something."""
        return tuple(one for one in self.problems if one.severity == "error")


def read_folder(path: Path, *, today: dt.date, known: KnownNames) -> Folder:
    """Read and check a data folder.

    Args:
        path: the folder.
        today: present day in the body's time zone; later knowledge is refused.
        known: what rows may refer to in the ledger.

    Raises:
        DatasetError: there is no such folder, or its catalogue cannot be read.
    """
    dataset = read_dataset(path)
    listing = list_folder(path, tables=TABLES, others=(CATALOGUE_FILE,))
    objectives = _read(path, specs.objective_spec(today), listing.tables)
    folder = Folder(
        path=path,
        info=dataset.info,
        catalogue=read_catalogue(path, [row.value for row in objectives.rows]),
        acts=_read(path, specs.act_spec(today), listing.tables),
        documents=_read(path, specs.document_spec(today), listing.tables),
        units=_read(path, specs.unit_spec(), listing.tables),
        flows=_read(path, specs.flow_spec(today), listing.tables),
        objectives=objectives,
        guidelines=_read(path, specs.guideline_spec(), listing.tables),
        figures=_read(path, specs.figure_spec(today), listing.tables),
        relations=_read(path, specs.relation_spec(), listing.tables),
        measure_counts=_read(path, specs.measure_count_spec(), listing.tables),
        risk_counts=_read(path, specs.risk_count_spec(), listing.tables),
        card_problems=(*dataset.problems, *listing.problems),
    )
    return _checked(folder, known)


def _read(path: Path, spec: TableSpec[T], present: Collection[str]) -> TableResult[T]:
    if spec.file not in present:
        return TableResult(file=spec.file, sha256=digest_of(b""), size=0)
    return read_table(path / spec.file, spec)


def _checked(folder: Folder, known: KnownNames) -> Folder:
    year = None if folder.info is None else folder.info.year
    folder = _without_waiting(folder, known)
    # Objectives come last: they rest on flows and guidelines that are good.
    first = replace(
        folder,
        units=_without(folder.units, _unit_problems(folder.units, known)),
        flows=_without(folder.flows, _flow_problems(folder.flows, known)),
        guidelines=_without(folder.guidelines, _guideline_problems(folder, known, year)),
        figures=_without(folder.figures, _figure_problems(folder, known)),
    )
    objectives = _without(first.objectives, _objective_problems(first, known, year))
    waiting = _waiting_guidelines(first, objectives, known)
    return replace(
        first,
        objectives=objectives,
        guidelines=_without(first.guidelines, waiting),
        relations=_warned(first.relations, first.figures, known),
    )


def _warned(
    relations: TableResult[RelationRow], figures: TableResult[FigureRow], known: KnownNames
) -> TableResult[RelationRow]:
    """Add a warning when relations name figures that are nowhere: `figures.csv` may be cut."""
    if known.figures_among is None or figures.whole is not None:
        return relations
    found = absent_figures(relations, figures, recorded=known.figures_among)
    return relations if found is None else replace(relations, problems=(*relations.problems, found))


def _without_waiting(folder: Folder, known: KnownNames) -> Folder:
    """Move the rows that rest on a refused document to the rejected."""
    refused = refused_documents(folder.documents, known.document_days)
    if refused is None:
        return folder
    flows, objectives, guidelines = folder.flows, folder.objectives, folder.guidelines
    measures, risks = folder.measure_counts, folder.risk_counts
    return replace(
        folder,
        flows=_without(flows, waiting_rows(flows, flow_needs, refused)),
        objectives=_without(objectives, waiting_rows(objectives, objective_needs, refused)),
        guidelines=_without(guidelines, waiting_rows(guidelines, last_needs, refused)),
        measure_counts=_without(measures, waiting_rows(measures, last_needs, refused)),
        risk_counts=_without(risks, waiting_rows(risks, last_needs, refused)),
    )


def _waiting_guidelines(
    folder: Folder, objectives: TableResult[ObjectiveRow], known: KnownNames
) -> Sequence[RejectedRow]:
    """Return the guidelines whose objective is refused: it says when they were planned."""
    good = {row.value.code for row in objectives.rows} | known.objectives
    refused = {row.value.code for row in folder.objectives.rows} | {
        one.texts.get("code", "") for one in objectives.rejected
    }
    unread = objectives.whole is not None
    return dangling_rows(
        folder.guidelines.rows,
        file=folder.guidelines.file,
        column="code",
        targets=lambda row: (row.code,) if unread or row.code in refused else (),
        known=good,
        what="objective",
    )


def _unit_problems(units: TableResult[UnitRow], known: KnownNames) -> Sequence[RejectedRow]:
    codes = {row.value.code for row in units.rows if row.value.code is not None}
    return (
        *dangling_rows(
            units.rows,
            file=units.file,
            column="parent_code",
            targets=lambda row: _one(row.parent_code),
            known=codes | known.units,
            what="unit",
        ),
        *cyclic_rows(
            units.rows,
            file=units.file,
            column="parent_code",
            name=lambda row: row.code,
            parent=lambda row: row.parent_code,
        ),
    )


def _flow_problems(flows: TableResult[FlowRow], known: KnownNames) -> Sequence[RejectedRow]:
    return (
        *dangling_rows(
            flows.rows,
            file=flows.file,
            column="parent_code",
            targets=lambda row: _one(row.parent_code),
            known={row.value.node_code for row in flows.rows} | known.flow_nodes,
            what="node",
        ),
        *cyclic_rows(
            flows.rows,
            file=flows.file,
            column="parent_code",
            name=lambda row: row.node_code,
            parent=lambda row: row.parent_code,
        ),
    )


def _objective_problems(
    folder: Folder, known: KnownNames, year: int | None
) -> Sequence[RejectedRow]:
    table = folder.objectives
    codes = {row.value.code for row in table.rows}
    return (
        *(
            ()
            if year is None
            else other_years(table.rows, file=table.file, year=year, year_of=lambda row: row.year)
        ),
        *dangling_rows(
            table.rows,
            file=table.file,
            column="parent_code",
            targets=lambda row: _one(row.parent_code),
            known=codes | known.objectives,
            what="objective",
        ),
        *cyclic_rows(
            table.rows,
            file=table.file,
            column="parent_code",
            name=lambda row: row.code,
            parent=lambda row: row.parent_code,
        ),
        *flow_conflicts(
            table.rows, folder.flows.rows, file=table.file, flow_file=folder.flows.file
        ),
        *resting_on_refused(
            table.rows,
            file=table.file,
            nodes=None
            if folder.flows.is_good
            else known.flow_nodes.union(row.value.node_code for row in folder.flows.rows),
            guidelines=None
            if folder.guidelines.is_good
            else known.guidelines.union(row.value.code for row in folder.guidelines.rows),
        ),
    )


def _guideline_problems(
    folder: Folder, known: KnownNames, year: int | None
) -> Sequence[RejectedRow]:
    table = folder.guidelines
    objectives = {row.value.code for row in folder.objectives.rows} | known.objectives
    return (
        *(
            ()
            if year is None
            else other_years(table.rows, file=table.file, year=year, year_of=lambda row: row.year)
        ),
        *dangling_rows(
            table.rows,
            file=table.file,
            column="oge_code",
            targets=lambda row: _one(row.oge_code),
            known=objectives,
            what="objective",
        ),
    )


def _figure_problems(folder: Folder, known: KnownNames) -> Sequence[RejectedRow]:
    table = folder.figures
    here = {row.value.document for row in folder.documents.rows}
    elsewhere = {row.value.document for row in table.rows} - here
    return dangling_rows(
        table.rows,
        file=table.file,
        column="document",
        targets=lambda row: (row.document,),
        known=here | {name for name in elsewhere if known.has_document(name)},
        what="document",
    )


def _one(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def _without(table: TableResult[T], rejected: Sequence[RejectedRow]) -> TableResult[T]:
    """Move rows from the good to the rejected, several problems of one row together."""
    if not rejected:
        return table
    by_line: dict[int, RejectedRow] = {one.record.line: one for one in table.rejected}
    for one in rejected:
        before = by_line.get(one.record.line)
        problems = one.problems if before is None else (*before.problems, *one.problems)
        by_line[one.record.line] = replace(one, problems=problems)
    found = [*table.problems, *(p for one in rejected for p in one.problems)]
    return replace(
        table,
        rows=tuple(row for row in table.rows if row.line not in by_line),
        rejected=tuple(by_line[line] for line in sorted(by_line)),
        problems=tuple(sorted(found, key=lambda one: one.line or 0)),
    )
