"""The worked example of docs/formats/checkpoint.md is what the code makes."""

import json
import re

from ledger.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.evidence.keyid import COSIGNATURE
from ledger.evidence.note import new_signer, parse_note, sign_note
from ledger.evidence.policy import parse_policy, witnesses_of
from ledger.evidence.tiles import TileBuilder
from ledger.types import TreeSize
from tests.support.dataset import ROOT
from tests.support.record_fixtures import FOLDER

PAGE = (ROOT / "docs/formats/checkpoint.md").read_text(encoding="utf-8")
LOG = new_signer("registro.example/ledger", bytes(range(32)))
WITNESS = new_signer("witness.example/w1", bytes(range(32, 64)), algorithm=COSIGNATURE)


def shown() -> bytes:
    (block,) = re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(block).encode()


def test_the_example_is_the_checkpoint_of_the_five_leaves() -> None:
    document = json.loads((FOLDER / "tree.json").read_text(encoding="utf-8"))
    builder = TileBuilder()
    for leaf in document["values"]["leaves"]:
        builder.append(bytes.fromhex(leaf))
    head = Checkpoint(origin=LOG.name, size=TreeSize(builder.size), root=builder.root())

    own = sign_checkpoint(head, [LOG])
    whole = sign_note(head.text, [WITNESS], keep=parse_note(own).signatures, at=1_800_000_000)

    assert whole == shown()
    for file in builder.partials():
        assert f"`{file.path}` ({len(file.data)} bytes" in " ".join(PAGE.split())


def test_the_policy_of_the_page_accepts_the_example() -> None:
    (block,) = re.findall(r"(?:^    .*\n)*^    quorum.*\n(?:^    .*\n)*", PAGE, re.MULTILINE)
    policy = parse_policy("\n".join(line.strip() for line in block.splitlines()))

    opened = open_checkpoint(shown(), policy.log, witnesses=policy.witnesses.values())

    assert policy.log == (LOG.verifier,)
    assert witnesses_of(opened, policy) == {"an audit body": 1_800_000_000}
