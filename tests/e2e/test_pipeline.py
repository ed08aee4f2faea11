"""The whole pipeline through DVC: raw files to report, nothing run twice, one clear line for bad input."""

import json

import mlflow
import pytest
import yaml
from pipeline import dvc, spikinghash, stages_run

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encoder import Encoder
from spikinghash.data.store import SampleStore
from spikinghash.evaluation.bits import bit_health
from spikinghash.kernels.digest import kernel_digest
from spikinghash.training.bit_balance import trained_ones
from spikinghash.training.checkpoint import load_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_all_stages_ran_and_left_a_report(project):
    folder, ran = project
    assert ran == ["synthesize", "ingest", "train", "encode", "index", "evaluate", "report"]
    assert (folder / "reports" / "report.html").stat().st_size > 10_000


def test_metrics_carry_their_protocol_and_digests(project):
    folder, _ = project
    content = json.loads((folder / "reports" / "evaluation.json").read_text())
    task = content["task"]
    assert task["model_digest"] == load_model(folder / "data/models/default").digest
    assert task["data_digest"] == SampleStore.open(folder / "data/frames").digest
    assert content["metrics"]["map"]["worst"] <= content["metrics"]["map"]["value"] <= content["metrics"]["map"]["best"]
    assert content["metrics"]["map"]["protocol"]["queries"] == task["queries"] > 0
    assert task["query_split"] not in task["database_splits"]


def test_the_metrics_that_dvc_compares_are_few_flat_numbers(project):
    folder, _ = project
    few = json.loads((folder / "reports" / "metrics.json").read_text())
    assert len(few) <= 16
    whole = json.loads((folder / "reports" / "evaluation.json").read_text())
    card = json.loads((folder / "data/models/default/model.json").read_text())
    assert few.pop("kernels") == whole["kernels"] == card["kernels"] == kernel_digest()
    assert all(isinstance(value, int | float) for value in few.values())
    assert few["map"] == whole["metrics"]["map"]["value"]
    shown = json.loads(dvc(folder, "metrics", "show", "--json").stdout)
    assert list(shown[""]["data"]) == ["reports/metrics.json"]


def test_the_plots_show_something(project):
    folder, _ = project
    data = json.loads(dvc(folder, "plots", "show", "--json", "-o", folder / "plots").stdout)["data"]
    assert set(data) == {f"reports/plots/{n}.csv" for n in ("pr_curve", "history", "bit_balance", "firing_rates")}
    for name, drawn in data.items():
        content = json.dumps(drawn)
        assert "DVC_METRIC" not in content, name
    rates = (folder / "reports/plots/firing_rates.csv").read_text().splitlines()
    assert len(rates) > 5


def test_the_ledger_adds_up(project):
    folder, _ = project
    ledger = json.loads((folder / "data/frames/ledger.json").read_text())
    assert ledger["events_in"] == ledger["framed"] + sum(ledger["dropped"].values())
    assert ledger["found"] == 240


def test_repro_again_runs_nothing_and_a_change_of_report_code_only_the_report(project):
    folder, _ = project
    assert stages_run(dvc(folder, "repro", "report")) == []
    page = folder / "spikinghash" / "report" / "html.py"
    page.write_text(page.read_text() + "\n# a comment\n")
    assert stages_run(dvc(folder, "repro", "report")) == ["report"]


def test_mlflow_run_holds_parameters_metrics_model_and_report(project):
    folder, _ = project
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    run_id = client.get_model_version_by_alias("spikinghash", "challenger").run_id
    run = client.get_run(run_id)
    assert run.data.params["train.epochs"] == "2"
    metrics = json.loads((folder / "reports" / "metrics.json").read_text())
    assert run.data.metrics["map"] == pytest.approx(metrics["map"])
    assert len(client.get_metric_history(run_id, "train/loss")) == 2
    assert "report.html" in {artifact.path for artifact in client.list_artifacts(run_id)}
    (logged,) = run.outputs.model_outputs
    files = client.list_logged_model_artifacts(logged.model_id)
    assert {"MLmodel", "model.safetensors", "model.json"} <= {artifact.path for artifact in files}
    assert client.get_model_version_by_alias("spikinghash", "challenger").run_id == run_id


def test_codes_do_not_depend_on_batch_or_order(project):
    folder, _ = project
    counts, _ = SampleStore.open(folder / "data/frames").load(None, "events")
    model = load_model(folder / "data/models/default")
    reference, margins = Encoder(model, 64).encode(counts)
    for batch in (1, 7):
        codes, again = Encoder(model, batch).encode(counts)
        assert (codes == reference).all()
        assert (again == margins).all()
    assert (Encoder(model, 64).encode(counts[::-1])[0][::-1] == reference).all()


def test_the_model_knows_its_training_codes(project):
    folder, _ = project
    model = load_model(folder / "data/models/default")
    codes = CodeDatabase.open(folder / "data/codes").load(model.digest, "train")
    assert trained_ones(model.card, 64).tolist() == pytest.approx(bit_health(codes.codes).ones.tolist(), abs=1e-6)


def test_search_answers_in_json_and_as_a_picture(project):
    folder, _ = project
    query = sorted((folder / "data/raw/digits/test").rglob("*.bin"))[0]
    picture = folder / "answer.gif"
    done = spikinghash(folder, "search", query, "--k", 5, "--gif", picture, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["bits"] == 64
    assert len(answer["results"]) == 5
    distances = [hit["distance"] for hit in answer["results"]]
    assert distances == sorted(distances)
    name = query.relative_to(folder / "data/raw/digits").as_posix()
    assert not any(hit["recording"] == name for hit in answer["results"])
    assert picture.read_bytes().startswith(b"GIF89a")


def test_search_of_two_recordings_with_an_index_and_filters(project, tmp_path):
    folder, _ = project
    queries = sorted((folder / "data/raw/digits/test").rglob("*.bin"))[:2]
    plain = spikinghash(folder, "search", *queries, "--label", "3", "--radius", 40, "--k", 4, "--json")
    assert plain.returncode == 0, plain.stderr
    answer = json.loads(plain.stdout)
    assert [one["query"] for one in answer["answers"]] == [str(query) for query in queries]
    for one in answer["answers"]:
        assert 0 < len(one["results"]) <= 4
        assert all(hit["label"] == "3" and hit["distance"] <= 40 for hit in one["results"])
    built = spikinghash(folder, "index", "--out", tmp_path / "index", "--json")
    assert built.returncode == 0, built.stderr
    quick = spikinghash(
        folder, "search", *queries, "--label", "3", "--radius", 40, "--k", 4, "--index", tmp_path / "index", "--json"
    )
    assert json.loads(quick.stdout) == answer
    assert "all codes were read" not in quick.stderr
    wrong = spikinghash(folder, "search", queries[0], "--radius", -1)
    assert (wrong.returncode, "radius is -1" in wrong.stderr) == (1, True)


def test_encode_hashes_each_recording_once_and_quarantines_bad_files(project, tmp_path):
    folder, _ = project
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    good = sorted((folder / "data/raw/digits/test").rglob("*.bin"))[:5]
    for path in good:
        (inbox / path.name).write_bytes(path.read_bytes())
    (inbox / "copy.bin").write_bytes(good[0].read_bytes())
    (inbox / "empty.bin").write_bytes(b"")
    (inbox / "cut.bin").write_bytes(good[1].read_bytes()[:-3])
    (inbox / "page.bin").write_bytes(b"<!doctype html><title>not events</title>" * 10)
    first = spikinghash(folder, "encode", inbox, "--db", tmp_path / "db", "--json")
    assert first.returncode == 3, first.stderr
    report = json.loads(first.stdout)
    counted = {k: report[k] for k in ("found", "committed", "skipped", "quarantined", "pending")}
    assert counted == {"found": 9, "committed": 5, "skipped": 1, "quarantined": 3, "pending": 0}
    assert report["reasons"] == {"empty": 1, "truncated": 1, "unknown-format": 1}
    second = json.loads(spikinghash(folder, "encode", inbox, "--db", tmp_path / "db", "--json").stdout)
    assert (second["committed"], second["skipped"], second["quarantined"]) == (0, 6, 3)


def test_energy_lists_layers_that_add_up(project):
    folder, _ = project
    done = spikinghash(folder, "energy", "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    total = sum(layer["energy_pj"] for layer in content["layers"])
    assert content["total_mj"] == pytest.approx(total * 1e-9)
    assert content["constants"] == {"mac_pj": 4.6, "ac_pj": 0.9}


def test_a_model_of_the_registry_searches_too(project):
    folder, _ = project
    query = sorted((folder / "data/raw/digits/test").rglob("*.bin"))[0]
    done = spikinghash(folder, "search", query, "--model", "models:/spikinghash@challenger", "--json")
    assert done.returncode == 0, done.stderr
    unknown = spikinghash(folder, "search", query, "--model", "models:/spikinghash@nobody")
    assert unknown.returncode == 1
    assert "Traceback" not in unknown.stderr


def test_bad_input_gets_one_clear_line(project, tmp_path):
    folder, _ = project
    query = sorted((folder / "data/raw/digits/test").rglob("*.bin"))[0]
    empty = tmp_path / "empty.bin"
    empty.write_bytes(b"")
    cases = {
        ("inspect", empty): "empty",
        ("inspect", tmp_path / "nothing"): "unreadable",
        ("search", query, "--model", tmp_path / "no-model"): "no model there",
        ("search", query, "--db", tmp_path / "no-db"): "no code database",
        ("encode", tmp_path / "no-folder"): "no such file",
        ("inspect", query, "--sensor", "big"): "--sensor",
    }
    for arguments, expected in cases.items():
        done = spikinghash(folder, *arguments)
        assert done.returncode == 1, arguments
        assert expected in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_key_in_the_params_names_the_nearest(project):
    folder, _ = project
    settings = folder / "params.yaml"
    kept = settings.read_text()
    params = yaml.safe_load(kept)
    params["train"]["epoch"] = params["train"].pop("epochs")
    settings.write_text(yaml.safe_dump(params))
    try:
        done = dvc(folder, "repro", "train")
    finally:
        settings.write_text(kept)
        # DVC removes the outputs of a stage before it runs
        dvc(folder, "checkout", "--force")
    assert done.returncode != 0
    assert "unknown key train.epoch; did you mean train.epochs?" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
