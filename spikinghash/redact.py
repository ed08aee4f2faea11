"""Text that may be shown: passwords and keys in addresses are left out."""

from __future__ import annotations

import re

#: `scheme://user:password@host` and `scheme://token@host`.
_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s@]+(?:@[^/?#\s@]+)*@")
#: `?access_key=…&secret=…`: parameters of an address that are named like secrets.
_PARAMETER = re.compile(r"([?&;][^=&;\s]*(?:key|secret|token|passw|signature|credential|sig)[^=&;\s]*=)[^&;\s]+", re.I)


def redact(text: str) -> str:
    """`text` with the user part and the secret parameters of every address in it replaced by `***`."""
    return _PARAMETER.sub(r"\1***", _USER.sub(r"\1***@", text))
