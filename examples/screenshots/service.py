"""`make serve` of a project on free ports, and one night of it."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_START_S, _NIGHT_S = 180.0, 300.0
USER = "admin"


@dataclass(frozen=True)
class Service:
    """Addresses of both servers and the passwords of `USER`."""

    prefect: str
    mlflow: str
    passwords: dict[str, str]

    def ask(self, path: str, content: dict[str, Any] | None = None) -> Any:
        """Prefect's answer to a GET, or to a POST of `content`."""
        word = base64.b64encode(f"{USER}:{self.passwords['prefect']}".encode()).decode()
        headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
        if content is not None:
            # its server asks for a token with whatever changes something
            token = self.ask("/csrf-token?client=screenshots")["token"]
            headers |= {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": "screenshots"}
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.prefect}/api{path}", data, headers)  # noqa: S310  loopback, ours
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """Serve the project in `folder` until the block ends; `TimeoutError` if it does not come up."""
    ports = _free_port(), _free_port()
    ours = {"SPIKINGHASH_PREFECT_PORT": str(ports[0]), "SPIKINGHASH_MLFLOW_PORT": str(ports[1])}
    run = subprocess.Popen(
        [sys.executable, "-E", "-P", folder / "spikinghash/start.py", "pipelines.serve"],
        cwd=folder, env=os.environ | ours | {"PREFECT_HOME": str(folder / ".prefect")}, start_new_session=True,
        stdout=sys.stderr, stderr=sys.stderr,
    )  # fmt: skip
    try:
        yield _wait_for(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", folder, run)
    finally:
        os.killpg(run.pid, signal.SIGTERM)
        run.wait(timeout=60)


def hash_a_night(service: Service) -> dict[str, Any]:
    """Start the deployment `nightly`, and return its run when it is done; `TimeoutError` if it is not in time."""
    deployment = service.ask("/deployments/name/nightly/nightly")
    run = service.ask(f"/deployments/{deployment['id']}/create_flow_run", {})
    until = time.monotonic() + _NIGHT_S
    while run["state_type"] not in ("COMPLETED", "FAILED", "CRASHED"):
        if time.monotonic() > until:
            raise TimeoutError(f"the night was not done within {_NIGHT_S:.0f} s")
        time.sleep(2)
        run = service.ask(f"/flow_runs/{run['id']}")
    return dict(run)


def _wait_for(prefect: str, mlflow: str, folder: Path, run: subprocess.Popen[bytes]) -> Service:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and run.poll() is None:
        # deployments are the last thing that it makes
        with suppress(OSError, ValueError, KeyError, urllib.error.URLError):
            passwords = json.loads((folder / ".prefect/credentials.json").read_text())
            service = Service(prefect, mlflow, passwords)
            service.ask("/deployments/name/nightly/nightly")
            return service
        time.sleep(1)
    raise TimeoutError(f"the service did not come up within {_START_S:.0f} s; its lines above say why")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
