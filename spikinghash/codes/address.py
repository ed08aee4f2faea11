"""Where a code database is: a local folder or an object-store address, checked before anything is read or written."""

from __future__ import annotations

import os
import re
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.redact import redact

#: Addresses that delta-rs opens.
SCHEMES = frozenset({"file", "s3", "s3a", "gs", "gcs", "az", "azure", "abfs", "abfss", "memory"})


def _remote(text: str, shown: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in SCHEMES:
        raise ConfigError(f"{shown}: no address of a database; there are: {', '.join(sorted(SCHEMES))}, or a folder")
    if "@" in rest.partition("/")[0] and scheme.lower() not in ("abfs", "abfss"):
        raise ConfigError(f"{shown}: an address holds no user or password; set them in the environment (AWS_...)")
    return text.rstrip("/")


def database_address(place: str | Path) -> str:
    """`place` without slashes at its end; `ConfigError` for one that cannot hold a database.

    delta-rs decodes `%20` in the path of a local table twice and would read or write another folder.
    """
    text = str(place)
    shown = redact(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"the database {shown!r} has a name that is not UTF-8; rename the folder") from None
    if "\0" in text:
        raise ConfigError(f"the database {shown!r} has a zero byte in its name")
    if "://" in text:
        return _remote(text, shown)
    if not text.strip() or not text.rstrip("/"):
        raise ConfigError(f"the database {shown!r} is no folder; name one: --db FOLDER")
    if re.search(r"%[0-9A-Fa-f]{2}", os.path.abspath(text)):  # noqa: PTH100  resolves no links
        raise ConfigError(f"{shown}: a percent sign with two digits in the path would be decoded; rename the folder")
    return text.rstrip("/")
