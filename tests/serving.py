"""The service of `make serve` as a process of its own, on free ports."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import urllib.request
from base64 import b64encode
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: With another home folder, compiled kernels are still found.
_KERNELS = {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))}
START = (sys.executable, "-E", "-P", str(ROOT / "spikinghash/start.py"), "pipelines.serve")


def free_port():
    """A port that no process gets by chance: below those the kernel hands out, above those of Ray's workers."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment(folder, prefect, mlflow):
    ours = {"SPIKINGHASH_PREFECT_PORT": str(prefect), "SPIKINGHASH_MLFLOW_PORT": str(mlflow)}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    return clean | ours | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "HOME": str(folder)} | _KERNELS


@contextmanager
def serving(folder, **settings):
    """Serve the project in a folder, with further settings in the environment; the ports of Prefect and MLflow."""
    ports = free_port(), free_port()
    run = subprocess.Popen(
        START, cwd=folder, env=environment(folder, *ports) | settings, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        lines = []
        for line in run.stdout:
            lines.append(line)
            if "being served" in line:
                break
        else:
            pytest.fail("".join(lines))
        yield ports
    finally:
        os.killpg(run.pid, signal.SIGTERM)
        run.communicate(timeout=30)


def call_mlflow(port, password, path, body=None):
    """What MLflow's REST interface answers to a GET, or to a POST of `body`."""
    word = b64encode(f"admin:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/2.0/mlflow/{path}", data, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


#: Runs deployments with parameters from outside, one after the other, and prints [state, message] of each.
_RUN = """
import json, sys
from prefect.deployments import run_deployment
runs = [run_deployment(name, parameters=p, timeout=400, poll_interval=1) for name, p in json.loads(sys.argv[1])]
print(json.dumps([[r.state.name, r.state.message] for r in runs]))
"""


def run_deployments(port, password, home, wanted):
    """What became of (deployment, parameters) on the server at a port."""
    settings = {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_API_AUTH_STRING": f"admin:{password}",
        "PREFECT_HOME": str(home),
    }  # fmt: skip
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", _RUN, json.dumps(wanted)],
        env=clean | settings, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
