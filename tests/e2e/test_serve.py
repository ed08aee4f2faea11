"""`make serve`: nobody without the password gets in, nor another page or name of this machine; flows stay inside."""

import json
import os
import signal
import stat
import subprocess
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest
import yaml
from serving import START, environment, free_port, run_deployments, serving

from pipelines.credentials import credentials
from spikinghash.errors import ConfigError

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def webhook():
    """An address on loopback, and what was posted there."""
    posted = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
        server.shutdown()


@pytest.fixture(scope="module")
def served(tmp_path_factory, webhook):
    """Both servers and the schedules of an empty project; ports and passwords."""
    folder = tmp_path_factory.mktemp("served")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    # a trap in the project folder for every process that looks for modules there
    (folder / "json.py").write_text(f"open({str(folder / 'TRAPPED')!r}, 'w')\nraise SystemExit(1)\n")
    with serving(folder, SPIKINGHASH_WEBHOOK=webhook[0]) as ports:
        yield folder, *ports, json.loads((folder / ".prefect/credentials.json").read_text())


def ask(url, password=None, content=None, **headers):
    if password is not None:
        headers["Authorization"] = "Basic " + b64encode(f"admin:{password}".encode()).decode()
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data, headers | {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def test_prefect_lets_in_whoever_has_the_password_and_nobody_else(served):
    _, port, _, known = served
    url = f"http://127.0.0.1:{port}/api"
    assert ask(f"{url}/deployments/filter", content={})[0] in (401, 403)
    assert ask(f"{url}/deployments/filter", "wrong", {})[0] in (401, 403)
    assert ask(f"{url}/deployments/count", known["prefect"], {})[0] == 403  # a POST needs a CSRF token too
    assert ask(f"{url}/admin/version", known["prefect"])[0] == 200


def test_prefect_answers_to_its_own_name_and_origin_alone(served):
    _, port, _, known = served
    url = f"http://127.0.0.1:{port}/api/admin/version"
    assert ask(url, known["prefect"], Host="evil.example")[0] == 400
    status, headers = ask(url, known["prefect"], Origin="http://evil.example")
    assert status == 200
    assert headers.get("access-control-allow-origin") not in ("*", "http://evil.example")


def test_mlflow_asks_for_the_password_and_checks_the_host(served):
    _, _, port, known = served
    url = f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search"
    assert ask(url, content={"max_results": 1})[0] == 401
    assert ask(url, known["mlflow"], {"max_results": 1})[0] == 200
    assert ask(url, known["mlflow"], {"max_results": 1}, Host="evil.example")[0] == 403
    assert ask(url, known["mlflow"], {"max_results": 1}, Origin="http://evil.example")[0] == 403


def test_a_flow_run_of_the_server_stays_in_the_project_and_imports_nothing_from_it(served):
    folder, port, _, known = served
    outside = [["nightly/nightly", {"db": "/somewhere/else"}], ["nightly/nightly", {"landing": "../elsewhere"}]]
    for state, message in run_deployments(port, known["prefect"], folder / "client", outside):
        assert state == "Failed"
        assert "lies outside the project" in message
    assert not (folder / "TRAPPED").exists()


def test_a_failed_run_is_told_to_the_webhook(served, webhook):
    folder, port, _, known = served
    run_deployments(port, known["prefect"], folder / "client", [["nightly/nightly", {"db": "/another/place"}]])
    until = time.monotonic() + 60
    while not any("/another/place" in one["text"] for one in webhook[1]) and time.monotonic() < until:
        time.sleep(0.5)
    (said,) = (one["text"] for one in webhook[1] if "/another/place" in one["text"])
    assert said.startswith("nightly (")
    assert "Failed: " in said
    assert "lies outside the project" in said


def test_a_port_that_is_taken_is_one_line(served, tmp_path):
    _, prefect, mlflow, _ = served
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    for ports, name in (((prefect, free_port()), "PREFECT"), ((free_port(), mlflow), "MLFLOW")):
        done = subprocess.run(START, cwd=tmp_path, env=environment(tmp_path, *ports), capture_output=True, text=True,
                              check=False, timeout=60)  # fmt: skip
        assert done.returncode == 75
        assert len(done.stderr.strip().splitlines()) == 1
        assert f"SPIKINGHASH_{name}_PORT" in done.stderr


def test_passwords_are_made_once_and_for_their_owner_alone(tmp_path):
    path = tmp_path / "p" / "credentials.json"
    first = credentials(path)
    assert credentials(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({first.prefect, first.mlflow}) == 2
    assert min(len(first.prefect), len(first.mlflow)) >= 24
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read"):
        credentials(path)


def test_a_server_that_ends_ends_the_service_with_one_line(tmp_path):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    ports, log = (free_port(), free_port()), tmp_path / "log"
    with log.open("w") as out:
        run = subprocess.Popen(START, cwd=tmp_path, env=environment(tmp_path, *ports), stdout=out,
                               stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
    try:
        until = time.monotonic() + 120
        while "being served" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.5)
        time.sleep(3)
        everyone = psutil.Process(run.pid).children(recursive=True)
        for child in psutil.Process(run.pid).children():
            if any("mlflow" in part for part in child.cmdline()):
                child.kill()
        assert run.wait(60) == 75
        assert psutil.wait_procs(everyone, 20)[1] == []
        assert "serve: a server has ended: MLflow" in log.read_text()
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
