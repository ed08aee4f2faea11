"""What MLflow raises, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from spikinghash.errors import SpikinghashError, Temporary

#: A server that does not answer, or a database that another process is writing.
_AWAY = re.compile(r"API request to .* failed with|database is locked|timed out", re.IGNORECASE)


@contextmanager
def registry_errors(uri: str) -> Iterator[None]:
    """Turn errors of MLflow into `Temporary` (no answer, locked) or `SpikinghashError` (anything else)."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        line = str(error).splitlines()[0]
        if error.error_code == "TEMPORARILY_UNAVAILABLE" or _AWAY.search(line):
            raise Temporary(f"registry {uri}: {line}; run the same command again") from error
        raise SpikinghashError(f"registry {uri}: {line}") from error
