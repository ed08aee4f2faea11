"""Every night is in MLflow once, whether it answers or breaks off, and old nights are not logged again."""

import json
import socket
import threading

import mlflow
import pytest
from killed_client import Crash, crash_in

from spikinghash.errors import SpikinghashError
from spikinghash.tracking import night_log
from spikinghash.tracking.night_log import log_nights

pytestmark = pytest.mark.filterwarnings("ignore")
ENCODED = {"found": 9, "committed": 7, "seconds": 1.5, "reasons": {"cut": 2}}


def report(folder, stem):
    folder.mkdir(exist_ok=True)
    (folder / f"{stem}.json").write_text(json.dumps({"encode": ENCODED}))
    (folder / f"{stem}.md").write_text("# Night\n")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.MlflowClient(uri).create_experiment("nightly", artifact_location=(folder / "artifacts").as_uri())
    return uri


@pytest.fixture(autouse=True)
def no_runs(uri):
    client = mlflow.MlflowClient(uri)
    for run in runs(uri):
        client.delete_run(run.info.run_id)


def runs(uri):
    client = mlflow.MlflowClient(uri)
    return client.search_runs([client.get_experiment_by_name("nightly").experiment_id])


def names(uri):
    return sorted(run.info.run_name for run in runs(uri))


def test_each_night_once(uri, tmp_path):
    report(tmp_path, "night-2026-11-28T010000Z")
    report(tmp_path, "night-2026-11-29T010000Z")
    assert log_nights(uri, "nightly", tmp_path) == 2
    report(tmp_path, "night-2026-11-29T010000Z-2")
    assert log_nights(uri, "nightly", tmp_path) == 1
    assert log_nights(uri, "nightly", tmp_path) == 0
    assert names(uri) == ["2026-11-28T01:00:00", "2026-11-29T01:00:00", "night-2026-11-29T010000Z-2"]
    (one, *_) = runs(uri)
    assert one.data.metrics == {"found": 9.0, "committed": 7.0, "seconds": 1.5}
    files = [file.path for file in mlflow.MlflowClient(uri).list_artifacts(one.info.run_id)]
    assert sorted(path.rsplit(".")[-1] for path in files) == ["json", "md"]


def test_nights_that_older_programs_logged_are_not_logged_again(uri, tmp_path):
    client = mlflow.MlflowClient(uri)
    place = client.get_experiment_by_name("nightly").experiment_id
    client.set_terminated(client.create_run(place, run_name="2026-11-28T01:00:00").info.run_id)
    report(tmp_path, "night-2026-11-28T010000Z")
    assert log_nights(uri, "nightly", tmp_path) == 1
    assert names(uri) == ["2026-11-28T01:00:00"]


@pytest.mark.parametrize("step", ["log_batch", "set_terminated", "log_artifact"])
def test_a_broken_off_night_is_finished_by_the_next_one(uri, tmp_path, monkeypatch, step):
    report(tmp_path, "night-2026-11-28T010000Z")
    with monkeypatch.context() as patch:
        crash_in(patch, step, after=False)
        with pytest.raises(Crash):
            log_nights(uri, "nightly", tmp_path)
    assert log_nights(uri, "nightly", tmp_path) == 1
    (one,) = runs(uri)
    assert one.info.status == "FINISHED"
    assert one.data.metrics["committed"] == 7.0


def test_killed_before_the_mark_it_is_not_logged_twice(uri, tmp_path, monkeypatch):
    report(tmp_path, "night-2026-11-28T010000Z")
    with monkeypatch.context() as patch:
        patch.setattr(night_log, "write_atomically", lambda *_: (_ for _ in ()).throw(Crash()))
        with pytest.raises(Crash):
            log_nights(uri, "nightly", tmp_path)
    assert log_nights(uri, "nightly", tmp_path) == 1
    assert len(runs(uri)) == 1


def test_a_server_that_never_answers_is_an_error_of_ours_and_nothing_is_lost(uri, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    report(tmp_path, "night-2026-11-28T010000Z")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        held = []
        threading.Thread(target=lambda: held.append(silent.accept()), daemon=True).start()
        with pytest.raises(SpikinghashError):
            log_nights(f"http://127.0.0.1:{silent.getsockname()[1]}", "nightly", tmp_path)
    assert log_nights(uri, "nightly", tmp_path) == 1


def test_the_flow_says_it_and_goes_on(tmp_path, monkeypatch, capsys, uri):
    from pipelines.registry_steps import log

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    report(tmp_path, "night-2026-11-28T010000Z")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    log(f"http://user:secret@127.0.0.1:{port}", str(tmp_path))
    said = capsys.readouterr().out
    assert "not in MLflow yet, a later night brings it: registry http://" in said
    assert "secret" not in said
    log(uri, str(tmp_path))
    assert capsys.readouterr().out == "1 nights logged\n"


def test_an_empty_report_of_a_killed_night_is_passed_over(uri, tmp_path):
    (tmp_path / "night-2026-11-28T010000Z.json").write_bytes(b"")
    report(tmp_path, "night-2026-11-29T010000Z")
    assert log_nights(uri, "nightly", tmp_path) == 1
    assert names(uri) == ["2026-11-29T01:00:00"]


def test_what_a_person_follows_over_the_nights_is_a_number(uri, tmp_path):
    path = tmp_path / "night-2026-11-28T010000Z.json"
    content = {
        "encode": ENCODED, "act": ["one", "two"], "recordings_per_s": 2.5, "drift": None, "drift_training": 0.125,
        "pinned": {"mean": 0.75, "lowest": 0.5}, "shadow": {"overlap": 0.25},
        "growth": {"before": {"codes": 1, "bytes": 10}, "after": {"codes": 8, "bytes": 90}},
    }  # fmt: skip
    path.write_text(json.dumps(content))
    log_nights(uri, "nightly", tmp_path)
    (one,) = runs(uri)
    expected = {
        "act": 2, "recordings_per_s": 2.5, "drift_training": 0.125, "recall": 0.75, "recall_lowest": 0.5,
        "shadow_overlap": 0.25, "table_codes": 8, "new_codes": 7, "table_bytes": 90, "new_bytes": 80, "committed": 7,
    }  # fmt: skip
    assert {key: one.data.metrics[key] for key in expected} == expected
    assert "drift" not in one.data.metrics


def test_a_night_that_needs_nobody_has_nothing_to_act_on(uri, tmp_path):
    content = {"encode": ENCODED, "act": None, "pinned": None}
    (tmp_path / "night-2026-11-28T010000Z.json").write_text(json.dumps(content))
    log_nights(uri, "nightly", tmp_path)
    assert runs(uri)[0].data.metrics["act"] == 0.0
