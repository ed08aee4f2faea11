"""Around every call into a library that decodes content nobody vouches for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spikinghash.errors import BadRecording


@contextmanager
def damaged(what: str, reason: str = "decoder-crash") -> Iterator[None]:
    """Turn whatever a library raises over bad content into `BadRecording(reason)`, one line, naming `what`."""
    try:
        yield
    except BadRecording:
        raise
    except MemoryError as error:
        raise BadRecording("memory", f"{what} needs more memory than there is") from error
    except Exception as error:  # libraries raise anything over damaged content, even AssertionError
        why = " ".join(str(error).split())[:200] or type(error).__name__
        if "truncated" in why:
            raise BadRecording("truncated", f"{what} is not complete: {why}") from error
        raise BadRecording(reason, f"{what} cannot be decoded, the file is damaged: {why}") from error
