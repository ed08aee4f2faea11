"""Joining a Ray cluster or starting a local one, isolated from the current directory, with a bounded wait."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spikinghash.errors import ConfigError, SpikinghashError, Temporary
from spikinghash.isolation import isolated_tool

#: How long a cluster may take to accept a connection.
CONNECT_S = 10.0
#: How long a cluster may take to say that it is well; starting the command takes some of it.
HEALTH_S = 30.0
#: Attempts of Ray's client to reach the head before it gives up, a second or so each.
_ATTEMPTS = "10"
_TOKEN = "for a cluster that asks for a token set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"  # noqa: S105

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# exporting training state needs the dashboard, which we do not start
os.environ.setdefault("RAY_TRAIN_ENABLE_STATE_TRACKING", "0")
os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", _ATTEMPTS)


def connect_ray(packages: Path, address: str | None, cpus: int, **options: Any) -> None:
    """Connect to the cluster at `address`, or start one of `cpus` on this machine with further `options`.

    `packages` is a folder of `packages_alone`, to be kept until `ray.shutdown`. Raises `Temporary` where no cluster
    answers and `ConfigError` where it refuses us.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    here = Path.cwd()
    # Ray gives its workers the directory that we connect from as the first place to import from
    os.chdir(packages)
    try:
        if address is None:
            _start(cpus, quiet | options)
        else:
            _join(address, quiet)
    finally:
        os.chdir(here)


def _start(cpus: int, options: dict[str, Any]) -> None:
    # its servers listen on all interfaces and let in who knows the token; Ray itself would keep one in the home folder
    if "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    # "local": never a cluster that happens to run here
    ray.init(address="local", num_cpus=cpus, include_dashboard=False, **options)


def _join(address: str, options: dict[str, Any]) -> None:
    _check_reachable(address)
    if "://" not in address and address not in ("auto", "local"):
        _check_health(address)
    import ray
    from ray.exceptions import AuthenticationError, RayError

    try:
        ray.init(address=address, **options)
    except AuthenticationError as error:
        raise ConfigError(f"ray.address {address}: the cluster refuses us ({_line(error)}); {_TOKEN}") from error
    except (ConnectionError, RayError, RuntimeError, ValueError) as error:
        text = str(error)
        if "oken" in text or "nauthenticated" in text:
            raise ConfigError(f"ray.address {address}: {_line(error)}; {_TOKEN}") from error
        raise Temporary(f"ray.address {address}: no Ray cluster answers there: {_line(error)}; {_TOKEN}") from error


def _check_reachable(address: str) -> None:
    """A dead address is told at once; Ray itself would try it for minutes."""
    if address in ("auto", "local"):
        return
    parsed = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = parsed.hostname, parsed.port
    except ValueError:
        host, port = None, None
    if host is None or port is None:
        raise ConfigError(f"ray.address {address!r}: write host:port, auto, or null for this machine alone")
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        raise Temporary(f"ray.address {address}: nothing answers there ({error.strerror or error}); start the cluster, "
                        "or set ray.address to null") from None  # fmt: skip


def _check_health(address: str) -> None:
    """Ask by Ray's own command, which can be ended: connecting to a port that is no Ray head takes minutes."""
    command = isolated_tool("ray.scripts.scripts", "health-check", "--address", address)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HEALTH_S)
    except subprocess.TimeoutExpired:
        raise Temporary(
            f"ray.address {address}: what answers there is no Ray cluster, or too busy; {_TOKEN}; to work on this "
            "machine alone set ray.address to null"
        ) from None
    if done.returncode:
        said = _line(done.stderr + done.stdout)
        raise ConfigError(f"ray.address {address}: the cluster there does not let us in ({said}); {_TOKEN}")


def _line(error: Exception | str) -> str:
    """The last line that says something: the first ones of Ray and of a traceback are no reasons."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).split(". ")[0][:200]


def explain_ray(error: Exception) -> SpikinghashError | None:
    """A refused token that showed only after connecting, in our words; None for any other error."""
    text = str(error)
    if "AuthenticationError" in text or "InvalidAuthToken" in text or "nauthenticated" in text:
        return ConfigError(f"the Ray cluster refuses us: {_line(error)}; {_TOKEN}")
    return None
