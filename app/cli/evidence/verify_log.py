"""What `registro verify` does with checkpoints kept outside and with the folder of the log."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from app.cli.context import Cli
from app.cli.evidence.sealing import known_keys, log_folder
from ledger.application import LedgerApplication
from ledger.discrepancy import Discrepancy
from ledger.errors import (
    LedgerError,
    LedgerMissingError,
    StoreFolderMissingError,
    StoreLockedError,
    StoreUnavailableError,
)
from ledger.evidence.check import (
    OLDER,
    PRESENT,
    Judged,
    check_log,
    compare_head,
    judge,
    unreadable_ledger,
)
from ledger.evidence.leaves import StoreLeaves
from ledger.evidence.policy import Policy, read_policy
from ledger.evidence.problems import EvidenceFileError
from ledger.evidence.tiles import CHECKPOINT_BYTES_MAX, TileReader
from ledger.types import Digest, Position, TreeSize
from ledger.verification import Checked, TreeHead


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the command line names."""

    checkpoint: Path | None
    since: Path | None
    vkey: Path | None
    policy: Path | None
    folder: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """The checkpoints that the ledger or its log must agree with."""

    judged: Mapping[str, Judged]
    """By kind: `PRESENT`, `OLDER`."""
    trusted: bool
    """Whether the keys come from outside the ledger."""
    quorum: int | None
    """How many witnesses must have signed; None without a policy."""
    wrong: tuple[Discrepancy, ...] = ()
    """What the comparison with the computed tree found."""

    @property
    def sizes(self) -> tuple[TreeSize, ...]:
        """Sizes whose roots are asked for."""
        return tuple(one.checkpoint.size for one in self.judged.values())

    @property
    def discrepancies(self) -> tuple[Discrepancy, ...]:
        """Everything wrong with the checkpoints, alone and compared."""
        alone = (each for one in self.judged.values() for each in one.discrepancies)
        return (*alone, *self.wrong)

    def compared(self, roots: Mapping[TreeSize, Digest], *, records: int | None) -> "Claims":
        """Return the claims with what the comparison found.

        Args:
            roots: computed, by size.
            records: how many records there are; None when there is no tree over them.
        """
        wrong = (
            one
            for kind, judged in self.judged.items()
            for one in compare_head(judged.checkpoint, roots, records=records, kind=kind)
        )
        return replace(self, wrong=tuple(wrong))

    def lines(self, cli: Cli) -> list[str]:
        """Return what is said to people about the checkpoints."""
        told = [self._line(cli, kind, one) for kind, one in self.judged.items()]
        if not self.trusted:
            told.append(
                cli.tr(
                    "Le chiavi vengono dal registro stesso: con --vkey, e un file avuto per altra "
                    "via, il controllo vale di più.",
                    "The keys come from the ledger itself: with --vkey, and a file received by "
                    "another way, the check is worth more.",
                )
            )
        if OLDER not in self.judged:
            told.append(
                cli.tr(
                    "Chi ha la chiave può rifare e rifirmare tutto: lo mostra solo un sigillo di "
                    "prima conservato altrove. Ripetere con --since.",
                    "Whoever holds the key can make and sign everything anew: only an older "
                    "checkpoint kept elsewhere shows it. Repeat with --since.",
                )
            )
        return told

    def _line(self, cli: Cli, kind: str, one: Judged) -> str:
        size = one.checkpoint.size
        signed = ", ".join(each.key.label for each in one.signed_by) or "-"
        what = (
            cli.tr("Sigillo", "Checkpoint")
            if kind == PRESENT
            else cli.tr("Sigillo di prima", "Older checkpoint")
        )
        told = cli.tr(
            f"{what}: {size} registrazioni, firmato da {signed}",
            f"{what}: {size} records, signed by {signed}",
        )
        if kind == PRESENT and self.quorum is not None:
            names = ", ".join(one.witnesses) or "-"
            told += cli.tr(
                f"; testimoni: {names} (richiesti {self.quorum})",
                f"; witnesses: {names} (asked for {self.quorum})",
            )
        return told

    def facts(self) -> dict[str, object]:
        """Return what is answered in JSON about the checkpoints."""
        return {
            kind: {
                "origin": one.checkpoint.origin,
                "size": one.checkpoint.size,
                "root": one.checkpoint.root,
                "signed_by": [each.key.label for each in one.signed_by],
                "witnesses": list(one.witnesses),
            }
            for kind, one in self.judged.items()
        }


def claims_of(
    cli: Cli,
    asked: Asked,
    *,
    present: bytes | None = None,
    ledger: LedgerApplication | None = None,
) -> Claims:
    """Judge the checkpoints named, each by itself.

    Args:
        cli: names the ledger, whose keys are taken when no file of keys is named.
        asked: what the command line names.
        present: the checkpoint of a log folder, when none is named.
        ledger: whose keys are taken instead, when it is not the one that the settings name.

    Raises:
        EvidenceFileError: a file cannot be read.
        NoteFormatError: a file is no note.
        CheckpointFormatError: a note is no checkpoint.
    """
    policy = None if asked.policy is None else read_policy(asked.policy)
    ledger = ledger or _ledger(cli)
    opened = None if ledger is None else ledger.identity.opened
    if asked.vkey is None and policy is not None:
        keys = policy.log
    else:
        keys = known_keys(ledger, asked.vkey)
    if present is None and (asked.checkpoint is not None or asked.since is None):
        path = asked.checkpoint or log_folder(cli, asked.folder) / "checkpoint"
        present = _read(path)
    found: dict[str, tuple[bytes, Policy | None]] = {}
    if present is not None:
        found[PRESENT] = (present, policy)
    if asked.since is not None:
        found[OLDER] = (_read(asked.since), None)
    return Claims(
        judged={
            kind: judge(
                data,
                keys,
                origin=None if opened is None else opened.origin,
                policy=witnesses,
                kind=kind,
            )
            for kind, (data, witnesses) in found.items()
        },
        trusted=asked.vkey is not None or policy is not None,
        quorum=None if policy is None else policy.quorum,
    )


def check_tiles(cli: Cli, asked: Asked) -> tuple[Checked, Claims, str]:
    """Compute everything again from the folder of the log, and compare with the ledger if any.

    Raises:
        LogMissingError: there is no checkpoint in the folder.
    """
    folder = log_folder(cli, asked.folder)
    reader = TileReader(folder)
    data = _read(asked.checkpoint) if asked.checkpoint is not None else reader.checkpoint()
    claims = claims_of(cli, asked, present=data)
    size = claims.judged[PRESENT].checkpoint.size
    ledger, unreadable = _ledger_or_damage(cli)
    opened = None if ledger is None else ledger.identity.opened
    ledger_id = None if opened is None else UUID(opened.ledger_id)
    expected = None
    if ledger is not None and ledger_id is not None:
        through = Position(min(size, ledger.head()))
        leaves = StoreLeaves(ledger.store, ledger_id)
        expected = (one.leaf for one in leaves.recomputed(through=through, believed=False))
    log = check_log(reader, size, sizes=claims.sizes, ledger_id=ledger_id, expected=expected)
    head = TreeHead(size=TreeSize(log.leaves), root=log.root)
    checked = Checked(
        records=log.leaves,
        events=0,
        head=head,
        ledger_id=None if ledger_id is None else str(ledger_id),
        discrepancies=(*unreadable, *log.discrepancies),
        roots=log.roots,
    )
    if log.leaves == size:
        claims = claims.compared(log.roots, records=log.leaves)
    return checked, claims, str(folder)


def _ledger(cli: Cli) -> LedgerApplication | None:
    """Return the ledger when it can be opened; a damaged one is the verifier's to describe."""
    try:
        return cli.open()
    except LedgerError:
        return None


def _ledger_or_damage(
    cli: Cli,
) -> tuple[LedgerApplication | None, tuple[Discrepancy, ...]]:
    """Return the ledger, or what is wrong when it is there and cannot be read.

    Raises:
        StoreUnavailableError: nobody can say whether it is there.
        StoreLockedError: another process is writing.
    """
    try:
        return cli.open(), ()
    except (LedgerMissingError, StoreFolderMissingError):
        # Whoever was handed the folder alone has no ledger.
        return None, ()
    except (StoreUnavailableError, StoreLockedError):
        raise
    except LedgerError as error:
        return None, (unreadable_ledger(error),)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(CHECKPOINT_BYTES_MAX)
    except OSError as error:
        raise EvidenceFileError(path=str(path), reason=str(error)) from error
