"""The web consoles of a new market: each party's first account and, beyond loopback, a certificate."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from services.admin.market_folder import ensure_secret
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase, write_private
from services.console.auth.accounts import Accounts

ACCOUNT, PASSWORD = "operator", "console-password"
_USERS, _CERTIFICATE, _KEY = "console-users.json", "console-certificate.pem", "console-key.pem"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_DAYS = 825
"""The longest that browsers take."""


def console_section(host: str, port: int) -> dict[str, Any]:
    """The section of a daemon's configuration; beyond loopback it is for a port that is published there."""
    section: dict[str, Any] = {"host": host, "port": port, "users_file": _USERS}
    if host not in _LOOPBACK:
        files = {"certificate_file": _CERTIFICATE, "key_file": _KEY}
        section |= {**files, "public_url": f"https://localhost:{port}"}
    return section


def provide_console(folder: Path, host: str) -> None:
    """Make what the section names in a party's folder; what is there stays.

    The certificate is signed by itself: it keeps passwords off the wire, and a browser asks before it trusts.
    """
    ensure_secret(folder / PASSWORD)
    accounts = Accounts(folder / _USERS)
    if accounts.get(ACCOUNT) is None:
        accounts.add(ACCOUNT, read_passphrase(folder / PASSWORD), "operator")
    if host not in _LOOPBACK and not (folder / _CERTIFICATE).exists():
        _certify(folder)


def _certify(folder: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise ConfigurationError(
            "a console beyond loopback needs a certificate, and openssl, which makes it, is missing: install "
            "it, or leave --console-host out"
        )
    with tempfile.TemporaryDirectory() as place:
        key, certificate = Path(place, _KEY), Path(place, _CERTIFICATE)
        options = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(_DAYS))
        hosts = f"DNS:{folder.name},DNS:localhost,IP:127.0.0.1"
        names = ("-subj", f"/CN={folder.name}", "-addext", f"subjectAltName={hosts}")
        files = ("-keyout", str(key), "-out", str(certificate))
        done = subprocess.run(  # noqa: S603  nothing of it is a stranger's
            [program, "req", "-x509", *options, *names, *files],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigurationError(f"openssl could not make a certificate: {done.stderr.strip()[-300:]}")
        # The certificate last: with it there, the key is.
        write_private(folder / _KEY, key.read_bytes())
        write_private(folder / _CERTIFICATE, certificate.read_bytes())
