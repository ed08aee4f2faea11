"""`make serve`: Prefect and MLflow servers on loopback, behind passwords, and the schedules."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from pipelines import PROJECT
from pipelines.credentials import USER, Credentials, credentials
from spikinghash.errors import EXIT_TEMPORARY, ConfigError, SpikinghashError, Temporary
from spikinghash.isolation import NEUTRAL_FOLDER, isolated_command, isolated_tool, packages_alone
from spikinghash.params import load_params
from spikinghash.tracking.store_place import database_file

HOST = "127.0.0.1"
_PREFECT_PORT, _MLFLOW_PORT = 4200, 5000
SECRETS = Path(".prefect/credentials.json")
_START_S, _LOOK_S = 120.0, 2.0
Server = tuple[str, "subprocess.Popen[bytes]"]


def main() -> None:
    """Start both servers, wait until they answer, then serve the schedules until interrupted; a failure is one line."""
    try:
        _serve()
    except SpikinghashError as error:
        print(f"serve: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


def _serve() -> None:
    prefect_port, mlflow_port = _port("PREFECT", _PREFECT_PORT), _port("MLFLOW", _MLFLOW_PORT)
    for name, port in (("PREFECT", prefect_port), ("MLFLOW", mlflow_port)):
        _check_free(name, port)
    params, known = load_params(Path("params.yaml")), credentials(SECRETS)
    uri = params.tracking.uri
    os.environ |= prefect_settings(known, prefect_port)
    servers: list[Server] = []
    try:
        servers.append(_start("Prefect", isolated_command("pipelines.prefect_server")))
        wait_for(f"http://{HOST}:{prefect_port}/api/health", servers[0], known.prefect)
        command = isolated_tool("mlflow", "server", *_mlflow_options(uri, mlflow_port))
        servers.append(_start("MLflow", command, _mlflow_settings(known)))
        wait_for(f"http://{HOST}:{mlflow_port}/health", servers[1], known.mlflow)
        print(f"Prefect http://{HOST}:{prefect_port}  MLflow http://{HOST}:{mlflow_port}  user {USER}, "  # noqa: T201
              f"passwords in {SECRETS}")  # fmt: skip
        threading.Thread(target=_watch, args=(servers,), daemon=True).start()
        # imported late: Prefect reads its settings from the environment at import
        from pipelines.deployments import serve_all
        from pipelines.notify import WEBHOOK, tell_failures

        if address := os.environ.get(WEBHOOK):
            tell_failures(address)
        # Prefect loads flows with the current directory first on the search path: let it hold our packages alone
        with packages_alone() as folder:
            os.environ[PROJECT] = str(Path.cwd())
            os.chdir(folder)
            serve_all(params.schedule, uri)
    finally:
        for _, server in servers:
            server.terminate()


def prefect_settings(known: Credentials, port: int) -> dict[str, str]:
    """Environment of Prefect's server, of our client and of the flow runs: a password, no other origin, tokens."""
    origin = f"http://{HOST}:{port}"
    return {
        "PREFECT_API_URL": f"{origin}/api",
        "PREFECT_HOME": os.environ.get("PREFECT_HOME", str(Path(".prefect").resolve())),
        "PREFECT_SERVER_API_AUTH_STRING": known.prefect_auth,
        "PREFECT_API_AUTH_STRING": known.prefect_auth,
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": origin,
        "SPIKINGHASH_PREFECT_BIND": f"{HOST}:{port}",
        # somebody pressed "run": not ten seconds until anything happens
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
        # flow runs are `python -m`: without this they would import from the project folder first
        "PYTHONSAFEPATH": "1",
    }


def _mlflow_options(uri: str, port: int) -> list[str]:
    file = database_file(uri)
    place = uri if file is None else f"sqlite:///{file}"
    names = ",".join(f"{name}:{port}" for name in (HOST, "localhost"))
    return [
        "--backend-store-uri", place, "--host", HOST, "--port", str(port), "--workers", "1",
        "--app-name", "basic-auth", "--allowed-hosts", names, "--cors-allowed-origins", f"http://{HOST}:{port}",
    ]  # fmt: skip


def _mlflow_settings(known: Credentials) -> dict[str, str]:
    config = SECRETS.with_name("mlflow-auth.ini").resolve()
    users = SECRETS.with_name("mlflow-users.db").resolve()
    config.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{users}\nadmin_username = {USER}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    return {
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_AUTH_ADMIN_PASSWORD": known.mlflow,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": known.mlflow[::-1],
        # MLflow's job runner would be one more listening process of 235 MB
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def _start(name: str, command: tuple[str, ...], settings: dict[str, str] | None = None) -> Server:
    # not here: the migrations of their databases put the current directory first on the search path
    return name, subprocess.Popen(command, env=os.environ | (settings or {}), cwd=NEUTRAL_FOLDER)


def _port(name: str, default: int) -> int:
    """The port of a server, which the environment may set; `ConfigError` for what is none."""
    said = os.environ.get(f"SPIKINGHASH_{name}_PORT") or str(default)
    if not said.isdecimal() or not 0 < int(said) < 1 << 16:
        raise ConfigError(f"SPIKINGHASH_{name}_PORT is {said!r}; a port is a number from 1 to 65535")
    return int(said)


def _check_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Temporary(
                f"port {port} of {HOST} is not free ({error.strerror}); stop what listens there, or set "
                f"SPIKINGHASH_{name}_PORT to another one"
            ) from None


def wait_for(url: str, server: Server, password: str) -> None:
    """Return when `url` answers; `Temporary` if the server died or two minutes have passed."""
    name, process = server
    word = base64.b64encode(f"{USER}:{password}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {word}"})  # noqa: S310  loopback, ours
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Temporary(f"the {name} server stopped with code {process.returncode}; its last lines say why")
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        # HTTPException: what answers speaks another protocol; our own server then cannot bind and stops
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            time.sleep(0.5)
    raise Temporary(f"the {name} server did not answer at {url} within {_START_S:.0f} s")


def _watch(servers: list[Server]) -> None:
    """End everything when a server ends: schedules without one would only fail."""
    # MLflow's server has children that outlive it
    known: set[psutil.Process] = set()
    while all(server.poll() is None for _, server in servers):
        known |= {child for _, server in servers for child in _children(server.pid)}
        time.sleep(_LOOK_S)
    ended = ", ".join(f"{name} (code {server.returncode})" for name, server in servers if server.poll() is not None)
    print(f"serve: a server has ended: {ended}; start again with `make serve`", file=sys.stderr)  # noqa: T201
    for _, server in servers:
        server.terminate()
    for child in known:
        with suppress(psutil.Error):
            child.terminate()
    os._exit(EXIT_TEMPORARY)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


if __name__ == "__main__":
    main()
