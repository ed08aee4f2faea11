"""`make serve`: Prefect and MLflow servers on loopback, and the schedules."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from spikinghash.params import load_params

HOST = "127.0.0.1"
PREFECT_PORT = 4200
MLFLOW_PORT = 5000
_START_S = 120.0


def main() -> None:
    """Start both servers, wait until they answer, then serve the schedules until interrupted."""
    prefect_api = f"http://{HOST}:{PREFECT_PORT}/api"
    os.environ["PREFECT_API_URL"] = prefect_api
    os.environ.setdefault("PREFECT_HOME", str(Path(".prefect").resolve()))
    uri = load_params(Path("params.yaml")).tracking.uri
    mlflow_options = ["--backend-store-uri", uri, "--host", HOST, "--port", str(MLFLOW_PORT), "--workers", "1"]
    servers = [
        _start(["prefect", "server", "start", "--host", HOST, "--port", str(PREFECT_PORT)]),
        _start(["mlflow", "server", *mlflow_options]),
    ]
    try:
        wait_for(f"{prefect_api}/health", servers[0])
        wait_for(f"http://{HOST}:{MLFLOW_PORT}/health", servers[1])
        print(f"Prefect http://{HOST}:{PREFECT_PORT}  MLflow http://{HOST}:{MLFLOW_PORT}")  # noqa: T201
        # imported late: Prefect reads its settings from the environment at import
        from pipelines.deployments import serve_all

        serve_all()
    finally:
        for server in servers:
            server.terminate()


def _start(module: list[str]) -> subprocess.Popen[bytes]:
    # MLflow's job runner would be one more listening process of 235 MB
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return subprocess.Popen([sys.executable, "-m", *module], env=environment)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return when `url` answers; `RuntimeError` if the server died or two minutes have passed."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"the server of {url} stopped with code {server.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  a loopback address of ours
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"{url} did not answer within {_START_S:.0f} s")


if __name__ == "__main__":
    main()
