"""A timestamping authority for tests: its own certificate, stamps made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CONFIG = """
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = test authority
[extensions]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature, nonRepudiation
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
crypto_device = builtin
signer_cert = {folder}/cert.pem
signer_key = {folder}/key.pem
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority in a folder."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make a key and a certificate."""
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder), encoding="utf-8")
        (folder / "serial").write_text("01\n", encoding="utf-8")
        made = cls(folder)
        made.openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
            "-keyout", "key.pem", "-out", "cert.pem", "-config", "tsa.cnf",
        )  # fmt: skip
        return made

    @property
    def certificate(self) -> Path:
        """The certificate to trust."""
        return self.folder / "cert.pem"

    def stamp(self, query: bytes) -> bytes:
        """Return the reply to a request."""
        (self.folder / "query").write_bytes(query)
        self.openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()

    def openssl(self, *words: str) -> None:
        """Run openssl in the folder."""
        subprocess.run(
            ["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60
        )
