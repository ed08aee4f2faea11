"""Object stores by address, with the settings of the environment, and what they raise in our words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import fs

from spikinghash.errors import ConfigError, Temporary

#: Attempts and seconds of a single request; longer waiting is left to whoever runs the job.
_ATTEMPTS = 2
_CONNECT_S, _REQUEST_S = 10, 60
#: No answer, or the answer that there is none now.
_AWAY = re.compile(
    r"NETWORK_CONNECTION|REQUEST_TIMEOUT|SLOW_DOWN|THROTTLING|INTERNAL_FAILURE|SERVICE_UNAVAILABLE|HTTP status 5\d\d"
    r"|HTTP code 5\d\d|curlCode|timed? ?out|[Cc]onnection (refused|reset)"
)


def is_address(place: str) -> bool:
    """Whether `place` is an address such as `s3://bucket/prefix`, and no path."""
    return "://" in place


def open_store(address: str) -> tuple[fs.FileSystem, str]:
    """The store of an address, and the path in it without slashes at its ends.

    `s3://bucket/prefix` takes the settings that the code database takes: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`, `AWS_SKIP_SIGNATURE`. Other schemes are Arrow's. `ConfigError`
    for an address that nothing reads.
    """
    scheme, _, path = address.partition("://")
    if scheme in ("s3", "s3a"):
        if not path.strip("/"):
            raise ConfigError(f"{address}: names no bucket; write s3://bucket/prefix")
        return _s3(address), path.strip("/")
    try:
        store, path = fs.FileSystem.from_uri(address)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ConfigError(f"{address}: no address of a store that can be read: {one_line(error)}") from None
    return store, path.rstrip("/")


@contextmanager
def remote_errors(address: str) -> Iterator[None]:
    """Turn errors of a store into `Temporary` (no answer) or `ConfigError` (it refuses); `FileNotFoundError` passes."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        if _AWAY.search(str(error)):
            raise Temporary(f"{address}: the store does not answer: {one_line(error)}; run again") from error
        raise ConfigError(f"{address}: {one_line(error)}; check the address and the AWS_ settings") from error


def one_line(error: Exception) -> str:
    """The message without line breaks, cut where it gets long."""
    return " ".join(str(error).split())[:300]


def _s3(address: str) -> fs.FileSystem:
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT")
    if endpoint is not None and endpoint.startswith("http://") and not _on("AWS_ALLOW_HTTP"):
        raise ConfigError(f"{address}: {endpoint} is not encrypted; set AWS_ALLOW_HTTP=true to allow that")
    settings: dict[str, Any] = {
        "endpoint_override": endpoint,
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        "anonymous": _on("AWS_SKIP_SIGNATURE"),
        "connect_timeout": _CONNECT_S,
        "request_timeout": _REQUEST_S,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    }
    with remote_errors(address):
        return fs.S3FileSystem(**{key: value for key, value in settings.items() if value is not None})


def _on(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes", "on")
