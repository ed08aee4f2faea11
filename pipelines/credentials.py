"""Passwords of the servers that `make serve` starts: made at the first start, readable by their owner alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from spikinghash.errors import ConfigError

USER = "admin"


@dataclass(frozen=True)
class Credentials:
    """The passwords of `USER` on both servers."""

    prefect: str
    mlflow: str

    @property
    def prefect_auth(self) -> str:
        """As Prefect takes it."""
        return f"{USER}:{self.prefect}"


def credentials(path: Path) -> Credentials:
    """The passwords in the file `path`, which is made if it is not there; `ConfigError` if others may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    made = Credentials(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(made), file)
    return made


def _read(path: Path) -> Credentials:
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"{path}: others may read these passwords; delete the file, new ones are made")
    try:
        return Credentials(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: damaged ({error}); delete the file, new passwords are made") from None
