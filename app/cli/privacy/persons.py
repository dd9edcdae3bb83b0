"""The person behind a command: sealed before recording, told to readers as far as allowed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from app.cli.context import Cli
from app.output.fields import act_text
from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command, input_digest
from ledger.errors import ConfigurationError, LedgerError
from ledger.events.ledger import Encrypted
from ledger.privacy.keystore import KeyStore
from ledger.privacy.persons import (
    Damaged,
    Erased,
    Locked,
    Person,
    Persons,
    Readable,
    Signed,
    Signer,
)
from ledger.session import Receipt
from ledger.store.engine import file_of, store_url
from ledger.types import Position


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What became of proposals."""

    proposals: tuple[Proposal, ...]
    """As they are in the ledger, with their person."""
    append_key: str
    receipt: Receipt
    head: Position
    """Last position after the append; before it in a dry run."""


def keys_path(cli: Cli) -> Path | None:
    """Return the file of the persons' keys; None when none is named and none can be derived."""
    given = cli.settings["subject_keys"]
    if given:
        return Path(given).expanduser()
    own = file_of(store_url(cli.settings["ledger"]))
    return None if own is None else Path(f"{str(own).removesuffix('.db')}.keys.db")


def ledger_id_of(ledger: LedgerApplication) -> str:
    """Return the identity of an opened ledger."""
    opened = ledger.identity.opened
    return "" if opened is None else opened.ledger_id


def persons_of(cli: Cli, ledger: LedgerApplication) -> Persons:
    """Return the persons of a ledger, with their keys when the file is here.

    Raises:
        KeyStoreError: the file is here and cannot be used.
    """
    path = keys_path(cli)
    there = path is not None and path.exists()
    keys = KeyStore(path, ledger_id=ledger_id_of(ledger)) if path is not None and there else None
    return Persons(ledger, ledger_id=ledger_id_of(ledger), keys=keys)


def undone_erasures(cli: Cli) -> tuple[str, ...]:
    """Return erased subjects whose key is still here; none when ledger or keys cannot be opened."""
    try:
        persons = persons_of(cli, cli.open())
        keys = persons.keys
        found = () if keys is None else keys.all()
        return tuple(
            one.subject_id
            for one in found
            if one.key is not None and persons.erasure(one.subject_id) is not None
        )
    except LedgerError:
        # What is wrong with the ledger the check has listed; keys are no part of it.
        return ()


def required_keys(cli: Cli, ledger: LedgerApplication) -> KeyStore:
    """Return the file of the persons' keys, which must be here.

    Raises:
        ConfigurationError: no file is named.
        KeyStoreError: it is not there or cannot be used.
    """
    return KeyStore(_required_path(cli), ledger_id=ledger_id_of(ledger))


def _required_path(cli: Cli) -> Path:
    path = keys_path(cli)
    if path is None:
        raise ConfigurationError(setting="subject_keys", reason="it is empty: name a file")
    return path


def record(
    cli: Cli,
    ledger: LedgerApplication,
    proposals: Sequence[Proposal],
    *,
    key: str | None = None,
    dry_run: bool = False,
) -> Recorded:
    """Decide proposals together and append them, in the name of the person that is set.

    Raises:
        CommandRefusedError: a rule forbids one of them; nothing is appended, no key is kept.
        AppendKeyConflictError: the key was used for other content.
        KeyStoreError: the person's key cannot be kept; nothing is appended.
    """
    signer, signed = _signed(cli, ledger, proposals)
    chosen = key or f"command/{input_digest(signed.facts).hex()}"
    session = ledger.session()
    receipt = session.submit(command(chosen, signed.proposals, facts=signed.facts))
    if dry_run:
        head = ledger.head()
        return Recorded(proposals=signed.proposals, append_key=chosen, receipt=receipt, head=head)
    if signer is not None and signer.fresh and not receipt.repeated:
        # The key is kept before the record: a record that nobody can open would be worse than a
        # key without a record.
        _keep(ledger, _required_path(cli), signer)
    head = ledger.commit(session, (receipt,)).head
    return Recorded(proposals=signed.proposals, append_key=chosen, receipt=receipt, head=head)


def _signed(
    cli: Cli, ledger: LedgerApplication, proposals: Sequence[Proposal]
) -> tuple[Signer | None, Signed]:
    """Return proposals with the person that is set, or as they are when none is."""
    name = cli.settings["person"]
    if not name:
        facts = [[one.event.TYPE, one.event, one.envelope] for one in proposals]
        return None, Signed(proposals=tuple(proposals), facts=facts)
    _required_path(cli)
    persons = persons_of(cli, ledger)
    signer = persons.signer(name, entropy=ledger.entropy, now=ledger.clock.now())
    return signer, persons.sign(signer, proposals, entropy=ledger.entropy)


def _keep(ledger: LedgerApplication, path: Path, signer: Signer) -> None:
    ledger_id = ledger_id_of(ledger)
    keys = (
        KeyStore(path, ledger_id=ledger_id)
        if path.exists()
        else KeyStore.create(path, ledger_id=ledger_id, entropy=ledger.entropy)
    )
    keys.keep(signer.key, name=signer.name, instead_of=signer.instead_of)


def opened(cli: Cli, ledger: LedgerApplication, person: Encrypted | None) -> Person | None:
    """Return what may be told of the person of one record; None when it names none."""
    return None if person is None else persons_of(cli, ledger).open(person)


def person_text(cli: Cli, person: Person) -> str:
    """Return what a reader is told of a person."""
    match person:
        case Readable():
            return person.text
        case Erased():
            acts = ", ".join(act_text(act) for act in person.acts)
            return cli.tr(
                f"cancellato in base all'atto {acts} (posizione {person.position})",
                f"erased under act {acts} (position {person.position})",
            )
        case Locked():
            return cli.tr("cifrato (chiave non disponibile)", "encrypted (key not available)")
        case Damaged():
            return cli.tr(
                "cifrato (la chiave non lo apre: eseguire `registro verify`)",
                "encrypted (the key does not open it: run `registro verify`)",
            )
        case _:
            assert_never(person)


def person_json(person: Person | None) -> dict[str, object] | None:
    """Return what a reader is told of a person, as JSON."""
    if person is None:
        return None
    states = {Readable: "readable", Erased: "erased", Locked: "locked", Damaged: "damaged"}
    return {
        "subject_id": person.subject_id,
        "state": states[type(person)],
        "name": person.text if isinstance(person, Readable) else None,
        "erased_at": person.position if isinstance(person, Erased) else None,
    }
