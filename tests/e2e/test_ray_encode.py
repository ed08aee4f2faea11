"""Bulk hashing on Ray: the rows of the local path, whatever happens to the workers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reliability"))
import warm

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings, encode_with
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.signals import Stop
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.training.checkpoint import load_model

#: These take a Ray of their own each: `make reliability`.
full = pytest.mark.skipif("FULL" not in os.environ, reason="part of make reliability")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280), pytest.mark.filterwarnings("ignore")]

FILES = 60


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """(landing folder, model folder, report and rows of the local path)."""
    folder = tmp_path_factory.mktemp("night")
    sample = warm.inbox(folder / "landing", FILES)
    warm.tiny_model(folder / "model", sample[:8])
    database = CodeDatabase.create_or_open(folder / "local")
    model = load_model(folder / "model")
    with IsolatedDecoder() as decoder:
        report = encode_recordings(discover([folder / "landing"]), Encoder(model), database, decode=decoder.stream)
    return folder / "landing", folder / "model", report.to_json(), rows(database)


def rows(database):
    """Everything in the two tables but the times of writing, sorted."""
    codes = database.rows().drop_columns(["encoded_at"]).sort_by("clip_id").to_pylist()
    refused = database.quarantined().drop_columns(["seen_at"]).sort_by("path").to_pylist()
    return codes, refused


@pytest.fixture(scope="module")
def two_nodes():
    """A Ray cluster of two local nodes; yields its address."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100 << 20})
    cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


def on_ray(night, db, workers=2, stop=None, progress=None, files=None, **options):
    from spikinghash.codes.ray_encode import ray_hasher

    landing, folder, *_ = night
    model, database = load_model(folder), CodeDatabase.create_or_open(db)
    with ray_hasher(model, workers, stop=stop, **options) as hasher:
        report = encode_with(
            hasher, files or discover([landing]), model, database, stop=stop, progress=progress
        )  # fmt: skip
    return report.to_json(), database


def worker_pids():
    """Processes of this machine's Ray actors that are ours."""
    found = []
    for child in psutil.Process().children(recursive=True):
        # one that ends while we look is none
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "HashWorker" in " ".join(child.cmdline()):
                found.append(child.pid)
    return found


#: A decoder that kills the process that started it when it is given poison.
KILLER = """
import os, signal
from spikinghash.events import reader, decode_worker

def kill(data, *_): os.kill(os.getppid(), signal.SIGKILL)

poison = reader.Format("poison", lambda head, size: head.startswith(b"poison"), kill)
reader.FORMATS = (poison, *reader.FORMATS)
decode_worker.main()
"""
COUNTS = ("found", "committed", "clips", "skipped", "quarantined", "pending", "reasons")


def test_the_rows_are_those_of_the_local_path_on_two_nodes(night, two_nodes, tmp_path):
    report, database = on_ray(night, tmp_path / "db")
    assert {k: report[k] for k in COUNTS} == {k: night[2][k] for k in COUNTS}
    assert rows(database) == night[3]
    again, _ = on_ray(night, tmp_path / "db", workers=1)
    assert (again["committed"], again["skipped"], again["quarantined"]) == (0, FILES + 1, 3)


def test_killed_workers_lose_nothing(night, two_nodes, tmp_path, monkeypatch):
    from spikinghash.codes import ray_encode

    monkeypatch.setattr(ray_encode, "CHUNK", 4)
    real, killed = ray_encode._Pool._send, []

    def send_and_kill(pool, actor, chunk):
        real(pool, actor, chunk)
        if len(killed) < 3 and len(pool.busy) > 1:
            victims = worker_pids()
            killed.extend(victims[:1])
            for pid in victims[:1]:
                os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(ray_encode._Pool, "_send", send_and_kill)
    report, database = on_ray(night, tmp_path / "db")
    assert len(killed) == 3
    assert {k: report[k] for k in COUNTS} == {k: night[2][k] for k in COUNTS}
    assert rows(database) == night[3]


@full
def test_an_input_that_kills_its_workers_is_refused_and_no_other(night, two_nodes, tmp_path):
    landing = tmp_path / "landing"
    landing.mkdir()
    warm.recordings(landing, 20)
    for copy in ("010-poison.bin", "011-poison.bin"):
        (landing / copy).write_bytes(b"poison" * 20)
    report, database = on_ray(
        night, tmp_path / "db", files=discover([landing]), command=(sys.executable, "-c", KILLER)
    )  # fmt: skip
    assert (report["committed"], report["reasons"], report["pending"]) == (20, {"worker-crash": 2}, 0)
    assert warm.quarantine_of(database.uri) == ["010-poison.bin", "011-poison.bin"]
    for row in database.quarantined().to_pylist():
        assert row["message"].startswith("2 workers died while they hashed it")


@full
def test_a_stop_leaves_the_rest_pending(night, two_nodes, tmp_path, monkeypatch):
    from spikinghash.codes import ray_encode

    monkeypatch.setattr(ray_encode, "CHUNK", 2)
    stop = Stop()

    def progress(done, *_):
        if done == 30:
            stop.ask()

    report, database = on_ray(night, tmp_path / "db", stop=stop, progress=progress)
    assert report["pending"] > 0
    assert report["found"] == sum(report[k] for k in ("committed", "skipped", "quarantined", "pending"))
    assert database.rows().num_rows == report["committed"]
    rest, database = on_ray(night, tmp_path / "db")
    assert rest["pending"] == 0
    assert rows(database)[0] == night[3][0]


@full
def test_workers_that_never_start_are_temporary(night, two_nodes, tmp_path, monkeypatch):
    from spikinghash.codes import ray_encode
    from spikinghash.errors import Temporary

    monkeypatch.setattr(ray_encode, "_files", lambda model: {"model.json": b"damaged"})
    with pytest.raises(Temporary, match="die before they are ready"):
        on_ray(night, tmp_path / "db", workers=1)


def test_the_command_starts_and_stops_a_local_ray(night, tmp_path):
    landing, folder, *_ = night
    command = [sys.executable, "-m", "spikinghash", "encode", landing, "--db", tmp_path / "db", "--model", folder]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*command, "--workers", "2", "--json"], capture_output=True, text=True, check=False, env=environment
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert {k: report[k] for k in COUNTS} == {k: night[2][k] for k in COUNTS}
    assert rows(CodeDatabase.open(tmp_path / "db")) == night[3]


def test_sigterm_ends_the_command_on_ray_within_five_seconds(night, tmp_path):
    _, folder, *_ = night
    landing, db = tmp_path / "landing", tmp_path / "db"
    landing.mkdir()
    warm.recordings(landing, 600)
    command = [sys.executable, "-m", "spikinghash", "encode", landing, "--db", db, "--model", folder, "--json"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.Popen(
        [*command, "--workers", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )  # fmt: skip
    while not list(db.glob("codes/_delta_log/*1.json")):  # the first batch is there, more are under way
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    asked = time.monotonic()
    run.terminate()
    out, err = run.communicate(timeout=60)
    assert time.monotonic() - asked < 5
    assert run.returncode == 75, err
    report = json.loads(out)
    assert report["pending"] > 0
    assert report["found"] == sum(report[k] for k in ("committed", "skipped", "quarantined", "pending"))
    assert CodeDatabase.open(db).rows().num_rows == report["committed"]
    rest = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (rest.returncode, json.loads(rest.stdout)["pending"]) == (0, 0), rest.stderr
