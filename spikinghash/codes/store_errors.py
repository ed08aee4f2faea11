"""What Delta Lake, Arrow and the disk raise, in our words."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from deltalake.exceptions import CommitFailedError, DeltaError

from spikinghash.errors import BadStore, Temporary
from spikinghash.redact import redact
from spikinghash.remote_store import AWAY

#: How to get back from a damaged database; a refusal of one ends with it.
ADVICE = "restore it, or run `spikinghash fsck --repair`, which says what it drops"

#: No room: the disk, a quota or a limit on the size of files.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Passes by itself, or with the load.
_BUSY = (
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOLCK, errno.ESTALE,
    errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.ENETUNREACH, errno.EHOSTUNREACH,
)  # fmt: skip
#: Not ours to read or write: nothing is damaged.
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
#: What delta-rs says when an object store does not answer, or answers that it cannot now.
_AWAY = re.compile(r"error sending request|timed out|after [1-9]\d* retries", re.IGNORECASE)


@contextmanager
def store_errors(uri: str, *, writing: bool = False) -> Iterator[None]:
    """Turn errors into `Temporary` (no room, no answer, a failed write) or `BadStore` (anything else).

    A lost race (`CommitFailedError`) passes through: only the caller knows whether to try again.
    """
    where = redact(uri.removeprefix("file://").rstrip("/"))
    try:
        yield
    except (DeltaError, OSError, pa.ArrowException) as error:
        number = _number(error)
        if number in _FULL:
            raise Temporary(f"{where}: the disk is full; free space and run the same command again") from error
        # a write that failed has changed nothing, a read that failed may mean damage
        if number in _BUSY or (writing and number == errno.EIO) or _AWAY.search(str(error)) or AWAY.search(str(error)):
            raise Temporary(f"{where}: {_one_line(error)}; run the same command again") from error
        if isinstance(error, CommitFailedError):
            raise
        advice = "check who may read and write it" if number in _FORBIDDEN else ADVICE
        raise BadStore(f"{where}: damaged or unreadable: {_one_line(error)}; {advice}") from error


def is_forbidden(error: BaseException | None) -> bool:
    """Whether the system does not let us read or write: nothing is damaged then."""
    return isinstance(error, Exception) and _number(error) in _FORBIDDEN


def _number(error: Exception) -> int | None:
    """The system's error number; Rust passes it on as text only: "(os error 28)"."""
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else getattr(error, "errno", None)


def _one_line(error: Exception) -> str:
    """The message without terminal colours, line breaks and the Rust stack that delta-rs appends."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    return redact(" ".join(re.split(r"\s0: ", text, maxsplit=1)[0].split()))
