"""Timestamps by a third party: a small authority of our own, run with openssl."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ledger.evidence.problems import TimestampError
from ledger.evidence.timestamps import checked_time, request
from tests.support.authority import Authority

CHECKPOINT = b"origin\n1\nroot\n"

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("tsa"))


@needs_openssl
def test_a_stamp_is_checked_and_its_time_read(authority: Authority) -> None:
    reply = authority.stamp(request(CHECKPOINT))

    assert "GMT" in checked_time(reply, CHECKPOINT, authority=authority.certificate)


@needs_openssl
def test_the_same_checkpoint_asks_the_same(authority: Authority) -> None:
    assert request(CHECKPOINT) == request(CHECKPOINT)
    assert request(CHECKPOINT) != request(CHECKPOINT + b"x")
    assert authority.certificate.is_file()


@needs_openssl
def test_refuses_a_stamp_of_another_checkpoint(authority: Authority) -> None:
    reply = authority.stamp(request(CHECKPOINT))

    with pytest.raises(TimestampError, match="imprint"):
        checked_time(reply, CHECKPOINT + b"x", authority=authority.certificate)


@needs_openssl
def test_refuses_a_stamp_of_another_authority(authority: Authority, tmp_path: Path) -> None:
    other = Authority.create(tmp_path)
    reply = other.stamp(request(CHECKPOINT))

    with pytest.raises(TimestampError):
        checked_time(reply, CHECKPOINT, authority=authority.certificate)


@needs_openssl
@pytest.mark.parametrize("place", [20, 200, -20])
def test_refuses_a_stamp_with_a_changed_byte(authority: Authority, place: int) -> None:
    reply = bytearray(authority.stamp(request(CHECKPOINT)))
    reply[place] ^= 0x55

    with pytest.raises(TimestampError):
        checked_time(bytes(reply), CHECKPOINT, authority=authority.certificate)


@needs_openssl
@pytest.mark.parametrize("reply", [b"", b"no stamp"])
def test_refuses_what_is_no_stamp(authority: Authority, reply: bytes) -> None:
    with pytest.raises(TimestampError):
        checked_time(reply, CHECKPOINT, authority=authority.certificate)


@needs_openssl
def test_refuses_certificates_that_are_not_there(authority: Authority, tmp_path: Path) -> None:
    reply = authority.stamp(request(CHECKPOINT))

    with pytest.raises(TimestampError):
        checked_time(reply, CHECKPOINT, authority=tmp_path / "nowhere.pem")


def test_says_that_openssl_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TimestampError, match="not installed"):
        request(CHECKPOINT)


def test_says_that_openssl_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    silent = tmp_path / "openssl"
    silent.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    with pytest.raises(TimestampError, match="no reason"):
        request(CHECKPOINT)
    assert subprocess.run([silent], check=False).returncode == 3
