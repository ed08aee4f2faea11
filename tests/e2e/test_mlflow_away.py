"""MLflow down, slow or without room: training and hashing end well, and what they found arrives later, once."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import mlflow
import pytest
import yaml
from serving import free_port

from spikinghash.params import load_params

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]
#: Seconds that a slow server takes for each answer.
SLOW_S = 30.0


class Line:
    """A line to a server: up, down (nobody listens) or slow (each answer comes late)."""

    def __init__(self, to):
        self.port, self._to, self.late_s = free_port(), to, 0.0
        self._listens, self._open = None, []

    def up(self, late_s=0.0):
        self.late_s = late_s
        if self._listens is None:
            self._listens = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self._listens,), daemon=True).start()

    def down(self):
        if self._listens is not None:
            # whoever waits in `accept` would keep the port
            self._listens.shutdown(socket.SHUT_RDWR)
            self._listens.close()
            self._listens = None
        # connections that clients keep for the next question
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open = []

    def _accept(self, listens):
        with suppress(OSError):
            while True:
                here, _ = listens.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                self._open += [here, there]
                asked = threading.Event()
                for ends in ((here, there, True), (there, here, False)):
                    threading.Thread(target=self._pass, args=(*ends, asked), daemon=True).start()

    def _pass(self, source, sink, asks, asked):
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if asks:
                    asked.set()
                elif asked.is_set():  # an answer begins; it may come in several parts
                    asked.clear()
                    time.sleep(self.late_s)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def server(folder, room=None):
    """MLflow's own server with its database in a folder, whose files may not grow beyond `room` bytes."""
    port = free_port()
    command = [
        sys.executable, "-P", "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1",
    ]  # fmt: skip

    run = subprocess.Popen(
        command, cwd=folder, env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    if room is not None:
        # before it has started the workers, which inherit it
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (room, room))
    try:
        until = time.monotonic() + 120
        while not _answers(port):
            assert run.poll() is None
            assert time.monotonic() < until
            time.sleep(0.3)
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, 15)
        run.wait(30)


def _answers(port):
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
        return True
    return False


@pytest.fixture
def trained(learned, tmp_path, monkeypatch):
    """A project of its own that is trained and registered nowhere, with a few recordings that have landed."""
    folder = tmp_path / "project"
    shutil.copytree(learned, folder, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"))
    landing = folder / "data/landing"
    landing.mkdir()
    for number, path in enumerate(sorted((folder / "data/raw/digits").rglob("*.bin"))[:3]):
        shutil.copy2(path, landing / f"{number}.bin")
    monkeypatch.chdir(folder)
    # one try, and no minute between tries: what is tested is what happens when all of them failed
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return folder


def point_to(folder, port):
    """Let the project's registry be the server at a port; its address."""
    uri = f"http://127.0.0.1:{port}"
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["tracking"]["uri"] = uri
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return uri


def bring(folder):
    from spikinghash.waiting_model import register_waiting

    params = load_params(folder / "params.yaml")
    return register_waiting(params, Path("data/models/default"), Path("data/frames"), Path("reports"), Path(".runs"))


def what_is_there(uri):
    """Runs of models and of nights, and versions."""
    client = mlflow.MlflowClient(uri)
    places = {name: client.get_experiment_by_name(name) for name in ("spikinghash", "nightly")}
    runs = {name: len(client.search_runs([e.experiment_id])) if e else 0 for name, e in places.items()}
    return runs["spikinghash"], runs["nightly"], len(client.search_model_versions("name='spikinghash'"))


def night(uri):
    from pipelines.nightly import nightly

    return nightly(tracking=uri)


def test_down_then_up(prefect, trained, tmp_path, monkeypatch):
    from pipelines import nightly as flow
    from pipelines.retrain import judge, register, retrain
    from spikinghash.tracking.promotion import promote

    for task in (judge, register):
        monkeypatch.setattr(task, "retry_delay_seconds", 0)
    monkeypatch.setattr(flow.encode, "retry_delay_seconds", 0)
    with server(tmp_path) as port:
        line = Line(port)
        uri = point_to(trained, line.port)
        done = retrain()
        assert (done["registered"], done["gate"]) == (None, None)
        assert done["map"] == json.loads((trained / "reports/metrics.json").read_text())["map"]
        line.up()
        added = bring(trained)
        assert (added.version, added.new_version, added.new_run) == (1, True, True)
        assert bring(trained) is None
        assert retrain()["registered"] == {"version": 1, "digest": added.digest, "new": False}
        promote(uri, "spikinghash", 1, "the first")
        assert night(uri)["encode"]["committed"] == 3
        line.down()
        shutil.copy2(trained / "data/landing/0.bin", trained / "data/landing/again.bin")
        (trained / "data/landing/1.bin").rename(trained / "data/landing/moved.bin")
        shutil.copy2(next((trained / "data/raw/digits/test/7").glob("*.bin")), trained / "data/landing/new.bin")
        during = night(uri)
        assert (during["encode"]["committed"], during["fsck"]["ok"]) == (1, True)
        assert what_is_there_later(line, uri) == (1, 1, 1)
        assert night(uri)["encode"]["committed"] == 0
        assert what_is_there(uri) == (1, 3, 1)


def what_is_there_later(line, uri):
    line.up()
    return what_is_there(uri)


@pytest.mark.skipif("FULL" not in os.environ, reason="part of make reliability")
@pytest.mark.timeout(3600)
def test_slow_answers(prefect, trained, tmp_path, monkeypatch):
    from pipelines.retrain import retrain
    from spikinghash.tracking.promotion import promote

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")  # as our own code sets it
    with server(tmp_path) as port:
        line = Line(port)
        line.up(late_s=SLOW_S)
        uri = point_to(trained, line.port)
        done = retrain()
        line.up()
        if done["registered"] is None:
            assert bring(trained).version == 1
        promote(uri, "spikinghash", 1, "the first")
        line.up(late_s=SLOW_S)
        assert night(uri)["encode"]["committed"] == 3
        line.up()
        assert night(uri)["encode"]["committed"] == 0
        assert what_is_there(uri) == (1, 2, 1)


def test_no_room_then_room(prefect, trained, tmp_path, monkeypatch):
    from pipelines.retrain import judge, register, retrain

    for task in (judge, register):
        monkeypatch.setattr(task, "retry_delay_seconds", 0)
    with server(tmp_path):
        pass
    # all files of the server stay as large as they are
    with server(tmp_path, room=(tmp_path / "mlflow.db").stat().st_size) as port:
        point_to(trained, port)
        assert retrain()["registered"] is None
    with server(tmp_path) as port:
        uri = point_to(trained, port)
        added = bring(trained)
        assert (added.version, added.new_version) == (1, True)
        finished = mlflow.MlflowClient(uri).search_runs(["1"], filter_string="attributes.status = 'FINISHED'")
        assert [run.info.run_id for run in finished] == [added.run_id]
        assert what_is_there(uri)[2] == 1
