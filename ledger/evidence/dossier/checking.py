"""Check a dossier from its bytes alone: no ledger, no network, nothing of it believed.

Invariants:
1. Whatever the bytes are, the check ends with a list of faults; it never stops at the first.
2. Every member is accounted for twice: by the manifest, and by what it must be (a proof, a record,
   what follows from another member), so that a manifest written anew hides nothing.
3. Records that leave the check were proved; figures are computed again from them by the caller.

What stays outside: instructions for readers and a timestamp are judged by their digest only.
Records that the dossier does not show are not missed, except the one in front of each in its
stream.

Source: docs/formats/dossier.md.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.events.ledger import LedgerOpened
from ledger.evidence.check import judge
from ledger.evidence.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from ledger.evidence.dossier.faults import Fault, FaultList
from ledger.evidence.dossier.format import (
    CHECKPOINT,
    CLAIMS,
    GROWTH,
    INSTRUCTIONS,
    KEYS,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    SIGNED_TEXT,
    SINCE,
    STAMP,
    Question,
    keys_text,
    openssl_members,
    zipped,
)
from ledger.evidence.dossier.reading import (
    MalformedError,
    members_of,
    parse_growth,
    parse_manifest,
    parse_question,
)
from ledger.evidence.dossier.records import Members, RecordChecker
from ledger.evidence.note import VerifierKey, parse_verifier
from ledger.evidence.policy import Policy
from ledger.feed import RecordedEvent
from ledger.integrity.merkle import verify_consistency


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedDossier:
    """The outcome of a check."""

    question: Question | None
    """None when it cannot be read."""
    head: Checkpoint | None
    """None when no known key has signed it."""
    signed_by: tuple[str, ...]
    """Keys whose signatures were checked: name+id."""
    witnesses: tuple[str, ...]
    """Names of the policy's witnesses whose signatures on the head were checked."""
    since: Checkpoint | None
    """The earlier checkpoint that the log was shown to continue."""
    events: tuple[RecordedEvent, ...]
    """Records that are shown whole and proved, in order of position."""
    records: int
    """Records that were proved, whole or not."""
    facts: int
    """Single facts that were proved."""
    members: int
    faults: tuple[Fault, ...]


def check_dossier(
    data: bytes, keys: Sequence[VerifierKey] = (), *, policy: Policy | None = None
) -> CheckedDossier:
    """Check a dossier.

    Args:
        data: the whole file.
        keys: public keys of the log, had from elsewhere; without any,
            those of the policy, else the dossier's own are taken, which say nothing of who signed.
        policy: whose witnesses must have signed the checkpoint too; None asks for none.
    """
    return _Checker(tuple(keys) or (() if policy is None else policy.log), policy).run(data)


class _Checker:
    def __init__(self, keys: tuple[VerifierKey, ...], policy: Policy | None) -> None:
        self._keys = keys
        self._policy = policy
        self._witnesses: tuple[str, ...] = ()
        self._faults = FaultList()
        self._members = Members({}, self._faults)

    def run(self, data: bytes) -> CheckedDossier:
        with self._faults.reporting("container", ""):
            self._members = Members(members_of(data), self._faults)
            if not self._members.found:
                raise MalformedError("there is nothing in it")
        if not self._members.found:
            return self._checked(None, None, None, None)
        self._members.used |= {MANIFEST, STAMP}
        for name in INSTRUCTIONS:
            self._members.take(name)
        if zipped(self._members.found) != data:
            self._faults.add("container", "", reason="packed anew, or with bytes of no member")
        self._check_manifest()
        signed = self._opened(CHECKPOINT)
        self._check_keys(signed)
        head = None if signed is None else signed.checkpoint
        self._check_witnesses()
        question = self._question()
        checker = None
        if question is not None:
            checker = RecordChecker(self._members, self._faults, question, head)
            checker.run()
            self._check_identity(question, head, checker.events)
            self._check_bases(question)
        since = self._check_since(head)
        for name in sorted(self._members.found.keys() - self._members.used):
            self._faults.add("stray", name)
        return self._checked(question, signed, since, checker)

    def _checked(
        self,
        question: Question | None,
        signed: SignedCheckpoint | None,
        since: Checkpoint | None,
        checker: RecordChecker | None,
    ) -> CheckedDossier:
        events = [] if checker is None else checker.events
        return CheckedDossier(
            question=question,
            head=None if signed is None else signed.checkpoint,
            signed_by=() if signed is None else tuple(one.key.label for one in signed.signed_by),
            witnesses=self._witnesses,
            since=since,
            events=tuple(sorted(events, key=lambda one: one.position)),
            records=0 if checker is None else len(checker.proved),
            facts=0 if checker is None else checker.facts,
            members=len(self._members.found),
            faults=self._faults.all(),
        )

    def _check_manifest(self) -> None:
        data = self._members.take(MANIFEST)
        if data is None:
            return
        listed: dict[str, str] = {}
        try:
            listed = parse_manifest(data)
        except MalformedError as error:
            self._faults.add("manifest", MANIFEST, reason=error)
            return
        if list(listed) != sorted(listed):
            self._faults.add("manifest", MANIFEST, reason="the names are not in order")
        for name in sorted(listed.keys() | (self._members.found.keys() - {MANIFEST})):
            content = self._members.found.get(name)
            if content is None:
                self._faults.add("missing", name)
            elif name not in listed:
                self._faults.add("unlisted", name)
            elif (found := hashlib.sha256(content).hexdigest()) != listed[name]:
                self._faults.add("digest", name, found=found, expected=listed[name])

    def _own_keys(self) -> tuple[VerifierKey, ...]:
        data = self._members.take(KEYS)
        if data is None:
            return ()
        keys: tuple[VerifierKey, ...] = ()
        with self._faults.reporting("key", KEYS):
            lines = data.decode("utf-8", errors="replace").splitlines()
            keys = tuple(parse_verifier(line) for line in lines)
            if not keys or keys_text(keys) != data:
                raise MalformedError("one key a line is expected")
        return keys

    def _opened(self, name: str) -> SignedCheckpoint | None:
        data = self._members.take(name)
        if data is None:
            return None
        with self._faults.reporting("signature", name):
            return open_checkpoint(data, self._keys or self._own_keys())
        return None

    def _check_keys(self, signed: SignedCheckpoint | None) -> None:
        own = self._own_keys()
        for key in own if self._keys else ():
            if key not in self._keys:
                self._faults.add("key", KEYS, reason=f"{key.label} is not among the keys given")
        if signed is None:
            self._members.used |= {SIGNED_TEXT, SIGNATURE, PUBLIC_KEY}
            return
        for name, expected in openssl_members(signed.note, own).items():
            self._members.compare(name, expected)

    def _check_witnesses(self) -> None:
        policy, data = self._policy, self._members.found.get(CHECKPOINT)
        if policy is None or data is None:
            return
        with self._faults.reporting("signature", CHECKPOINT):
            # The log's own signature is judged with the checkpoint.
            judged = judge(data, (), policy=policy)
            self._witnesses = judged.witnesses
            for one in judged.discrepancies:
                if one.reason == "quorum":
                    self._faults.add("quorum", CHECKPOINT, **one.facts)
                elif one.reason == "signature_bad":
                    self._faults.add("signature", CHECKPOINT, reason=one.detail)

    def _question(self) -> Question | None:
        data = self._members.take(CLAIMS)
        if data is not None:
            with self._faults.reporting("form", CLAIMS):
                return parse_question(data)
        return None

    def _check_identity(
        self, question: Question, head: Checkpoint | None, events: Sequence[RecordedEvent]
    ) -> None:
        if head is not None and head.origin != question.origin:
            self._faults.add(
                "ledger", CLAIMS, what="origin", found=question.origin, expected=head.origin
            )
        opened = [one.event for one in events if isinstance(one.event, LedgerOpened)]
        if len(opened) != 1:
            self._faults.add(
                "ledger", CLAIMS, what="LedgerOpened", found=len(opened), expected="one record"
            )
        for one in opened:
            for name in ("ledger_id", "origin", "body", "sandbox"):
                said, expected = getattr(question, name), getattr(one, name)
                if said != expected:
                    self._faults.add("ledger", CLAIMS, what=name, found=said, expected=expected)

    def _check_bases(self, question: Question) -> None:
        whole = {mark.position for mark in question.records if mark.whole}
        for claim in question.claims:
            for basis in claim.records:
                if basis.position not in whole:
                    self._faults.add(
                        "claim",
                        CLAIMS,
                        code=claim.code,
                        field=basis.role,
                        found=basis.position,
                        expected="-",
                    )

    def _check_since(self, head: Checkpoint | None) -> Checkpoint | None:
        if SINCE not in self._members.found and GROWTH not in self._members.found:
            return None
        old = self._opened(SINCE)
        request = self._members.take(GROWTH)
        if old is None or request is None or head is None:
            return None
        kept = old.checkpoint
        with self._faults.reporting("consistency", GROWTH):
            size, steps, checkpoint = parse_growth(request)
            if checkpoint != self._members.found[CHECKPOINT]:
                raise MalformedError("it carries another checkpoint")
            if size != kept.size or kept.origin != head.origin:
                raise MalformedError(f"it begins at {size}, the earlier checkpoint is {kept.size}")
            verify_consistency(
                old_size=kept.size,
                new_size=head.size,
                old_root=kept.root,
                new_root=head.root,
                proof=steps,
            )
            return kept
        return None
