"""Stages are functions of files: the report needs no server, and registering is a step that may be repeated."""

import json
import shutil
import subprocess

import mlflow
import pytest
import yaml
from pipeline import ROOT, closed_form, copy_project, dvc, spikinghash, stages_run

from spikinghash.training.checkpoint import load_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def copy(learned, tmp_path):
    """The finished project in another place, without its registry."""
    folder = tmp_path / "copy"
    shutil.copytree(learned, folder, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts", ".runs"))
    return folder


def change(folder, section, **values):
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params[section] |= values
    path.write_text(yaml.safe_dump(params))


def add(folder):
    done = spikinghash(folder, "registry", "add", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_report_is_written_without_a_registry(copy):
    change(copy, "report", queries=2)
    assert stages_run(dvc(copy, "repro", "report")) == ["report"]
    assert not (copy / "mlflow.db").exists()
    first, second = add(copy), add(copy)
    assert (first["version"], first["new_version"], first["new_run"]) == (1, True, True)
    assert second == first | {"new_version": False, "new_run": False}


def refused(verdict):
    return [finding["rule"] for finding in verdict["findings"] if not finding["passed"]]


def test_a_worse_model_is_refused_by_the_gate_and_promoted_by_an_override_alone_and_back(copy):
    first = add(copy)
    assert (first["gate"]["passed"], first["gate"]["champion"]) == (True, None)
    promote = ("registry", "promote", "--reason", "a reason", "--json")
    assert spikinghash(copy, *promote, 1).returncode == 0
    same = json.loads(spikinghash(copy, "registry", "gate", "--json").stdout)
    assert (same["passed"], same["champion"]) == (True, first["digest"])
    # half as many bits of a random projection, not learned at all
    change(copy, "model", method="lsh", bits=8)
    assert "train" in stages_run(dvc(copy, "repro", "report"))
    worse = add(copy)
    assert (worse["version"], worse["gate"]["champion"]) == (2, first["digest"])
    assert "map" in refused(worse["gate"])
    assert spikinghash(copy, "registry", "gate", "--json").returncode == 1
    assert json.loads((copy / "reports/gate.json").read_text()) == worse["gate"]
    page = (copy / "reports/review.html").read_text()
    assert "The challenger may not replace the champion, version 1" in page
    assert all(digest in page for digest in (first["digest"], worse["digest"]))
    assert page.count("data:image/gif;base64,") >= 3 * 11  # at least three queries changed
    compared = json.loads(spikinghash(copy, "registry", "compare", 1, 2, "--json").stdout)
    assert (compared["first"]["model"], compared["second"]["model"]) == (first["digest"], worse["digest"])
    assert len(compared["classes"]) == 10
    assert compared["first"]["map"] > compared["second"]["map"]
    done = spikinghash(copy, *promote, 2)
    assert done.returncode == 1
    assert "the gate refused version 2" in done.stderr
    done = spikinghash(copy, *promote, 2, "--override", "to see it")
    assert done.returncode == 0
    assert json.loads(done.stdout)["log"][-1]["override"] == "to see it"
    # there and back: the challenger is what lies in the model's folder
    change(copy, "model", method="itq", bits=16)
    assert "train" not in stages_run(dvc(copy, "repro", "report"))  # it comes from the run cache
    back = add(copy)
    assert back == first | {"new_version": False, "new_run": False, "gate": back["gate"]}
    assert (back["gate"]["passed"], back["gate"]["champion"]) == (True, worse["digest"])
    client = mlflow.MlflowClient(f"sqlite:///{copy / 'mlflow.db'}")
    version = client.get_model_version_by_alias("spikinghash", "challenger")
    assert version.tags["model_digest"] == load_model(copy / "data/models/default").digest == first["digest"]


def test_another_evaluation_of_a_model_is_a_run_and_no_version(copy):
    first = add(copy)
    change(copy, "evaluate", k=[1, 5])
    assert stages_run(dvc(copy, "repro", "report")) == ["evaluate", "report"]
    second = add(copy)
    assert (second["version"], second["new_version"], second["new_run"]) == (1, False, True)
    shown = json.loads(spikinghash(copy, "registry", "show", 1, "--json").stdout)["versions"][0]
    assert shown["run_id"] == second["run_id"] != first["run_id"]
    assert "precision_at_5" in shown["metrics"]


def test_outputs_that_were_pulled_are_reported_and_registered(learned, tmp_path):
    other = tmp_path / "other"
    assert dvc(learned, "push", "-r", "shelf").returncode != 0  # no such remote yet
    everywhere = shutil.ignore_patterns("mlflow.db", "mlartifacts", ".runs", "cache")
    # the data alone, not the package of that name
    shutil.copytree(
        learned,
        other,
        ignore=lambda at, names: everywhere(at, names) | ({"data"} & {*names} if at == str(learned) else set()),
    )
    for place in (learned, other):
        assert dvc(place, "remote", "add", "--local", "-f", "shelf", tmp_path / "shelf").returncode == 0
    pushed = dvc(learned, "push", "-r", "shelf")
    assert pushed.returncode == 0, pushed.stderr
    pulled = dvc(other, "pull", "-r", "shelf")
    assert pulled.returncode == 0, pulled.stderr
    assert stages_run(dvc(other, "repro", "report")) == []
    assert add(other)["version"] == 1


def test_an_evaluation_of_another_model_is_not_registered(copy):
    path = copy / "reports/evaluation.json"
    said = json.loads(path.read_text())
    said["task"]["model_digest"] = "0" * 16
    path.write_text(json.dumps(said))
    done = spikinghash(copy, "registry", "add")
    assert done.returncode == 1
    assert "is of model 0000000000000000" in done.stderr
    assert "run `dvc repro`" in done.stderr


def test_an_experiment_in_a_folder_of_its_own_runs_the_code_of_that_folder(tmp_path):
    folder = copy_project(tmp_path / "project", closed_form, scm=True)
    (folder / "reports").mkdir()
    (folder / ".gitignore").write_text("__pycache__/\nmlflow.db\nmlartifacts/\n.runs/\nreports/report.html\n")
    line = 'print("code of this copy")\n'
    with (folder / "stages" / "report.py").open("a") as out:
        out.write("\n" + line)
    for arguments in (["add", "-A"], ["commit", "-qm", "a project"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    # JSON as a name of the standard library, in the project folder
    (folder / "json.py").write_text("raise SystemExit('code from the project folder')")
    subprocess.run(["git", "add", "json.py"], cwd=folder, check=True)
    subprocess.run(["git", "commit", "-qm", "a trap"], cwd=folder, check=True)
    done = dvc(folder, "exp", "run", "--temp", "report")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "code of this copy" in done.stdout
    assert not (folder / "mlflow.db").exists()


def test_the_studies_are_a_project_of_their_own(learned, tmp_path):
    """Slow and without results to restore, they would fill `dvc status` and fail `dvc checkout` of the pipeline."""
    assert "up to date" in dvc(learned, "status").stdout
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy2(ROOT / name, tmp_path)
    left_out = shutil.ignore_patterns("cache", "tmp", "frames", "config.local")
    for name in (".dvc", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    for place, expected in ((tmp_path, {"train", "report"}), (tmp_path / "experiments", {"frames@poker"})):
        assert dvc(place, "config", "--local", "core.no_scm", "true").returncode == 0
        listed = set(dvc(place, "stage", "list", "--all", "--name-only").stdout.split())
        assert expected <= listed
        assert len(listed) == (7 if place == tmp_path else 16)
