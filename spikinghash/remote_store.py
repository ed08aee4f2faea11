"""Object stores by address, with the settings of the environment, and what they raise in our words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import fs

from spikinghash.errors import ConfigError, Temporary
from spikinghash.redact import redact

#: Attempts and seconds of a single request; longer waiting is left to whoever runs the job.
_ATTEMPTS = 2
_CONNECT_S, _REQUEST_S = 10, 60
#: No answer, or the answer that there is none now.
AWAY = re.compile(
    r"NETWORK_CONNECTION|REQUEST_TIMEOUT|SLOW_DOWN|THROTTLING|INTERNAL_FAILURE|SERVICE_UNAVAILABLE|HTTP status 5\d\d"
    r"|HTTP code 5\d\d|curlCode|timed? ?out|[Cc]onnection (refused|reset)"
)


def is_address(place: str) -> bool:
    """Whether `place` is an address such as `s3://bucket/prefix`, and no path."""
    return "://" in place


def open_store(address: str, settings: Mapping[str, str] | None = None) -> tuple[fs.FileSystem, str]:
    """The store of an address, and the path in it without slashes at its ends.

    `s3://bucket/prefix` takes the settings that the code database takes: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`, `AWS_SKIP_SIGNATURE`, out of `settings` and the environment.
    Other schemes are Arrow's. `ConfigError` for an address that nothing reads.
    """
    shown = redact(address)
    scheme, _, path = address.partition("://")
    if scheme in ("s3", "s3a"):
        if not path.strip("/"):
            raise ConfigError(f"{shown}: names no bucket; write s3://bucket/prefix")
        return _s3(shown, os.environ | dict(settings or {})), path.strip("/")
    try:
        store, path = fs.FileSystem.from_uri(address)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ConfigError(f"{shown}: no address of a store that can be read: {one_line(error)}") from None
    return store, path.rstrip("/")


@contextmanager
def remote_errors(address: str) -> Iterator[None]:
    """Turn errors of a store into `Temporary` (no answer) or `ConfigError` (it refuses); `FileNotFoundError` passes."""
    shown = redact(address)
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        if AWAY.search(str(error)):
            raise Temporary(f"{shown}: the store does not answer: {one_line(error)}; run again") from error
        raise ConfigError(f"{shown}: {one_line(error)}; check the address and the AWS_ settings") from error


def one_line(error: Exception) -> str:
    """The message without line breaks and passwords, cut where it gets long."""
    return redact(" ".join(str(error).split()))[:300]


def _s3(shown: str, environment: Mapping[str, str]) -> fs.FileSystem:
    def on(name: str) -> bool:
        return environment.get(name, "").lower() in ("1", "true", "yes", "on")

    endpoint = environment.get("AWS_ENDPOINT_URL") or environment.get("AWS_ENDPOINT")
    if endpoint is not None and endpoint.startswith("http://") and not on("AWS_ALLOW_HTTP"):
        raise ConfigError(f"{shown}: {redact(endpoint)} is not encrypted; set AWS_ALLOW_HTTP=true to allow that")
    settings: dict[str, Any] = {
        "endpoint_override": endpoint,
        "access_key": environment.get("AWS_ACCESS_KEY_ID"),
        "secret_key": environment.get("AWS_SECRET_ACCESS_KEY"),
        "session_token": environment.get("AWS_SESSION_TOKEN"),
        "region": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
        "anonymous": on("AWS_SKIP_SIGNATURE"),
        "connect_timeout": _CONNECT_S,
        "request_timeout": _REQUEST_S,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    }
    if settings["anonymous"] or not (settings["access_key"] and settings["secret_key"]):
        for name in ("access_key", "secret_key", "session_token"):
            settings[name] = None  # Arrow looks for profiles and roles itself
    with remote_errors(shown):
        return fs.S3FileSystem(**{key: value for key, value in settings.items() if value is not None})
