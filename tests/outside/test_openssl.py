"""openssl judges the signature of a checkpoint, and a timestamp of it."""

import subprocess
from pathlib import Path

import pytest

from ledger.evidence.dossier.format import PUBLIC_KEY, SIGNATURE, SIGNED_TEXT, openssl_members
from ledger.evidence.note import SEED_BYTES, new_signer, parse_note, sign_note
from ledger.evidence.timestamps import request
from tests.outside.conftest import Evidence, Verdict, ran

AUTHORITY = """
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
[req]
distinguished_name = name
x509_extensions = tsa_extensions
prompt = no
[name]
CN = Local timestamps
[tsa_extensions]
extendedKeyUsage = critical, timeStamping
basicConstraints = critical, CA:true
"""


@pytest.fixture
def members(evidence: Evidence, tmp_path: Path) -> Path:
    """Write what a dossier holds for openssl."""
    note = parse_note((evidence.log / "checkpoint").read_bytes())
    for name, content in openssl_members(note, [evidence.signer.verifier]).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def verified(openssl: str, folder: Path) -> Verdict:
    return ran(
        openssl, "pkeyutl", "-verify", "-pubin", "-inkey", PUBLIC_KEY, "-rawin",
        "-in", SIGNED_TEXT, "-sigfile", SIGNATURE, folder=folder,
    )  # fmt: skip


def test_accepts_the_signature_of_the_sealer(openssl: str, members: Path) -> None:
    verdict = verified(openssl, members)

    assert verdict.accepted, verdict.text


@pytest.mark.parametrize("name", [SIGNED_TEXT, SIGNATURE])
def test_refuses_every_changed_byte(openssl: str, members: Path, name: str) -> None:
    whole = (members / name).read_bytes()

    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        (members / name).write_bytes(changed)
        assert not verified(openssl, members).accepted, place


def test_refuses_the_key_of_somebody_else(openssl: str, members: Path) -> None:
    other = new_signer("registro.example", b"\x07" * SEED_BYTES)
    note = parse_note(sign_note("text\n", [other]))
    key = openssl_members(note, [other.verifier])[PUBLIC_KEY]
    (members / PUBLIC_KEY).write_bytes(key)

    assert not verified(openssl, members).accepted


def _authority(openssl: str, folder: Path) -> None:
    """Make a timestamping authority of our own."""
    (folder / "tsa.cnf").write_text(AUTHORITY.format(folder=folder), encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")
    made = ran(
        openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-sha256",
        "-config", "tsa.cnf", "-keyout", "tsa.key", "-out", "tsa.pem", folder=folder,
    )  # fmt: skip
    assert made.accepted, made.text


def _stamped(openssl: str, folder: Path, checkpoint: bytes) -> None:
    (folder / "checkpoint").write_bytes(checkpoint)
    (folder / "query.tsq").write_bytes(request(checkpoint))
    subprocess.run(
        [openssl, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq",
         "-out", "checkpoint.tsr"],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def test_a_timestamp_holds_for_the_bytes_it_stamped_alone(
    openssl: str, evidence: Evidence, tmp_path: Path
) -> None:
    _authority(openssl, tmp_path)
    checkpoint = (evidence.log / "checkpoint").read_bytes()
    _stamped(openssl, tmp_path, checkpoint)
    words = (openssl, "ts", "-verify", "-data", "checkpoint", "-in", "checkpoint.tsr",
             "-CAfile", "tsa.pem")  # fmt: skip

    assert ran(*words, folder=tmp_path).accepted

    (tmp_path / "checkpoint").write_bytes(checkpoint.replace(b"\n1", b"\n2", 1))
    assert not ran(*words, folder=tmp_path).accepted
