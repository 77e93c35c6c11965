"""Certificates for tests, made with openssl: an authority, and what it signs."""

from __future__ import annotations

import subprocess
from pathlib import Path

DAYS = 2


class Authority:
    """An authority of our own, with its files in a directory.

    Args:
        directory: where the files go.
        name: of the authority.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self.certificate = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        subject = ["-subj", f"/CN={name}", "-days", str(DAYS)]
        _openssl("req", "-x509", *_new_key(self._key), "-out", str(self.certificate), *subject)

    def sign(self, name: str, alternative: str, days: int = DAYS) -> tuple[Path, Path]:
        """Make a certificate for one name, such as `IP:127.0.0.1`; return its file and that of its key.

        Args:
            name: of the files and of the subject.
            alternative: the name that is checked.
            days: how long it is good, d; with 0 it has expired at once.
        """
        certificate, key, request, extensions = (
            self._directory / f"{name}.{end}" for end in ("pem", "key", "csr", "ext")
        )
        extensions.write_text(f"subjectAltName={alternative}\n")
        _openssl("req", *_new_key(key), "-out", str(request), "-subj", f"/CN={name}")
        signer = ["-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial"]
        what = ["-in", str(request), "-extfile", str(extensions), "-out", str(certificate), "-days", str(days)]
        _openssl("x509", "-req", *what, *signer)
        return certificate, key


def _new_key(file: Path) -> list[str]:
    return ["-newkey", "rsa:2048", "-nodes", "-keyout", str(file)]


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
