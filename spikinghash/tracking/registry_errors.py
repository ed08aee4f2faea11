"""What MLflow and its database raise, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from spikinghash.errors import SpikinghashError, Temporary
from spikinghash.redact import redact

#: A server that does not answer, or a database that another process is writing.
_AWAY = re.compile(
    r"API request to .* failed|database is locked|timed out|Max retries exceeded|Connection (refused|reset)"
    r"|NameResolutionError|[Tt]emporary failure",
    re.IGNORECASE,
)


@contextmanager
def registry_errors(uri: str) -> Iterator[None]:
    """Turn errors of MLflow into `Temporary` (no answer, locked) or `SpikinghashError` (anything else)."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, ConnectionError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        if getattr(error, "error_code", None) == "TEMPORARILY_UNAVAILABLE" or _AWAY.search(str(error)):
            raise Temporary(f"registry {redact(uri)}: {redact(line)}; run the same command again") from error
        raise SpikinghashError(f"registry {redact(uri)}: {redact(line)}") from error
