"""A dossier on the screen and as JSON: what was made, what was checked."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from app.cli.context import Cli
from app.output.format import day
from app.output.table import Column, Table
from app.texts.dossier import fault_name, fault_text
from app.texts.text import Lang
from app.texts.values import missing_text
from ledger.evidence.dossier.checking import CheckedDossier
from ledger.evidence.dossier.faults import Fault
from ledger.evidence.dossier.format import Claim, Question

LISTED: Final = 20
"""Faults listed on the screen unless all are asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A dossier that was checked."""

    file: Path
    data: bytes
    own_key: bool
    """Whether the key came from the dossier itself."""
    checked: CheckedDossier
    faults: Sequence[Fault]
    """Of the check, and of the figures."""
    quorum: int | None = None
    """How many witnesses the policy asks for; None without a policy."""


def show_made(cli: Cli, target: Path, data: bytes, told: Question) -> None:
    """Show what was written."""
    digest = hashlib.sha256(data).hexdigest()
    if cli.json:
        cli.answer(
            {
                "file": str(target),
                "sha256": digest,
                "bytes": len(data),
                "indicators": [claim.code for claim in told.claims],
                "records": len(told.records),
                "facts": len(told.facts),
                "sandbox": told.sandbox,
            }
        )
        return
    cli.banner(sandbox=told.sandbox)
    indicators = cli.count(
        len(told.claims), ("indicatore", "indicatori"), ("indicator", "indicators")
    )
    records = _counted(cli, len(told.records), len(told.facts))
    cli.screen.line(
        cli.tr(
            f"Fascicolo scritto in {target}: {indicators}, {records}.",
            f"Dossier written to {target}: {indicators}, {records}.",
        )
    )
    cli.screen.line(f"SHA-256: {digest}")
    cli.screen.note(
        cli.tr(
            "Comunicare questa impronta e la chiave pubblica a chi lo riceve, per altra via.",
            "Tell this digest and the public key to whoever receives it, by another way.",
        )
    )


def show_checked(cli: Cli, judged: Judged, *, every: bool) -> None:
    """Show the outcome of a check."""
    if cli.json:
        cli.answer(_json(cli, judged))
        return
    checked, question = judged.checked, judged.checked.question
    cli.banner(sandbox=question is not None and question.sandbox)
    if judged.faults:
        _show_faults(cli, judged.faults, every=every)
    else:
        again = question is not None and question.claims
        shown = _counted(cli, checked.records, checked.facts)
        cli.screen.line(
            cli.tr(
                f"Nessun difetto. Provato: {shown}{'; cifre ricalcolate' if again else ''}.",
                f"No fault. Proved: {shown}{'; figures computed again' if again else ''}.",
            )
        )
    if question is not None:
        _show_subject(cli, question)
        _show_claims(cli, question.claims)
    if checked.head is not None:
        cli.screen.line(
            cli.tr("Sigillo: ", "Checkpoint: ")
            + f"{checked.head.origin}, {checked.head.size}:{checked.head.root.hex()}"
        )
        cli.screen.line(cli.tr("Firma: ", "Signed by: ") + ", ".join(checked.signed_by))
    if judged.quorum is not None:
        names = ", ".join(checked.witnesses) or "-"
        cli.screen.line(
            cli.tr(
                f"Testimoni: {names} (richiesti: {judged.quorum})",
                f"Witnesses: {names} (asked for: {judged.quorum})",
            )
        )
    if checked.since is not None:
        cli.screen.line(
            cli.tr("Continua il sigillo: ", "Continues the checkpoint: ")
            + f"{checked.since.size}:{checked.since.root.hex()}"
        )
    cli.screen.line("SHA-256: " + hashlib.sha256(judged.data).hexdigest())
    if judged.own_key:
        cli.screen.warn(
            cli.tr(
                "La chiave è quella scritta nel fascicolo: chi l'ha firmato si sa solo con --vkey, "
                "con la chiave avuta per altra via.",
                "The key is the one in the dossier: who signed it is known only with --vkey and "
                "the key had by another way.",
            )
        )


def _show_faults(cli: Cli, faults: Sequence[Fault], *, every: bool) -> None:
    cli.screen.title(cli.tr(f"DIFETTI TROVATI: {len(faults)}", f"FAULTS FOUND: {len(faults)}"))
    listed = faults if every else faults[:LISTED]
    for one in listed:
        place = f"{one.member}: " if one.member else ""
        cli.screen.line(place + fault_name(one.kind, cli.lang))
        cli.screen.line(f"  {fault_text(one, cli.lang)}")
    if len(faults) > len(listed):
        cli.screen.line(cli.tr("... l'elenco intero con --all", "... the whole list with --all"))
    cli.screen.line(
        cli.tr(
            "Che fare: non usare queste cifre; conservare il file e chiederne un altro a chi lo ha "
            "mandato.",
            "What to do: do not use these figures; keep the file and ask whoever sent it for "
            "another.",
        )
    )


def _counted(cli: Cli, records: int, facts: int) -> str:
    told = cli.count(records, ("registrazione", "registrazioni"), ("record", "records"))
    if not facts:
        return told
    single = ("fatto singolo", "fatti singoli"), ("single fact", "single facts")
    return f"{told}, {cli.count(facts, *single)}"


def _show_subject(cli: Cli, question: Question) -> None:
    """Say whose figures these are, of which year, and as known on which day."""
    told = [" ".join(str(one) for one in (question.body, question.year) if one is not None)]
    if question.as_of is not None:
        told.append(cli.tr("noto al ", "known on ") + _day(question.as_of, cli.lang))
    line = ", ".join(one for one in told if one)
    if line:
        cli.screen.line(line)


def _day(text: str, lang: Lang) -> str:
    """Return a day in the reader's language; what is no day, as a forger may write, as it is."""
    try:
        return day(dt.date.fromisoformat(text), lang)
    except ValueError:
        return text


def _show_claims(cli: Cli, claims: Sequence[Claim]) -> None:
    if not claims:
        return
    columns = (
        Column(cli.tr("indicatore", "indicator"), whole=True),
        Column(cli.tr("descrizione", "label")),
        Column(cli.tr("valore", "value")),
        Column(cli.tr("obiettivo", "target")),
        Column(cli.tr("registrazioni", "records")),
    )
    rows = [
        [
            claim.code,
            claim.label,
            missing_text(claim.value_missing or "", cli.lang)
            if claim.value is None
            else _number(claim.value),
            _number(claim.target),
            len({basis.position for basis in claim.records}),
        ]
        for claim in claims
    ]
    cli.screen.table(Table(columns=columns, rows=rows))


def _number(text: str | None) -> Decimal | str | None:
    """Return a figure as a number, to be written in the reader's language; else as it stands."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return text


def _json(cli: Cli, judged: Judged) -> dict[str, object]:
    checked, question = judged.checked, judged.checked.question
    head, since = checked.head, checked.since
    return {
        "file": str(judged.file),
        "sha256": hashlib.sha256(judged.data).hexdigest(),
        "clean": not judged.faults,
        "key": "dossier" if judged.own_key else "given",
        "signed_by": checked.signed_by,
        "witnesses": checked.witnesses,
        "quorum": judged.quorum,
        "checkpoint": None
        if head is None
        else {"origin": head.origin, "size": head.size, "root": head.root},
        "since": None if since is None else {"size": since.size, "root": since.root},
        "sandbox": None if question is None else question.sandbox,
        "year": None if question is None else question.year,
        "as_of": None if question is None else question.as_of,
        "records": checked.records,
        "facts": checked.facts,
        "indicators": [] if question is None else question.claims,
        "faults": [
            {"kind": one.kind, "member": one.member, "detail": fault_text(one, cli.lang)}
            for one in judged.faults
        ],
    }
