"""Stages, flows and Ray workers run nothing that lies in the project folder or among the recordings."""

import json

import canaries
import hostile
import pytest
import warm
from pipeline import copy_project, dvc, spikinghash, stages_run
from serving import run_deployments, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OURS = {"spikinghash", "stages", "pipelines"}
MODULES = (
    "stages.synthesize", "stages.ingest", "stages.train", "stages.encode", "stages.index", "stages.evaluate",
    "stages.report", "stages.experiment", "pipelines.nightly", "pipelines.retrain", "pipelines.promote",
    "pipelines.deployments", "dvc.cli", "dvc.repo.reproduce", "ray", "ray.train.torch", "mlflow",
    "mlflow.store.tracking.sqlalchemy_store", "prefect.engine", "uvicorn", "multiprocessing.spawn",
)  # fmt: skip


def tiny(params):
    params["synthesize"]["limit"] = 160
    params["train"] |= {"epochs": 1, "workers": 1, "batch": 16}
    params["evaluate"]["k"] = [1, 10]


@pytest.fixture(scope="module")
def cage(tmp_path_factory):
    """A project with a canary for every module name in its folder and in its landing folder; marks lie beside it."""
    root = tmp_path_factory.mktemp("cage")
    folder = copy_project(root / "project", tiny)
    names = canaries.names_imported(MODULES) - {"dvclive"}
    assert {"json", "numpy", "torch", "ray", "dvc", "prefect", "mlflow", "pydantic", "uvicorn"} <= names
    assert len(names) > 300
    canaries.lay(folder, names - OURS, root / "marks")
    canaries.lay(folder / "landing", names, root / "marks")
    for number in range(4):
        (folder / "landing" / f"good-{number}.bin").write_bytes(hostile.good(seed=number))
    return folder, root / "marks"


@pytest.mark.filterwarnings("ignore")
def test_no_stage_runs_what_lies_in_the_project(cage):
    folder, marks = cage
    assert len(stages_run(dvc(folder, "repro", "report"))) == 7
    assert canaries.sung(marks) == []


@pytest.mark.filterwarnings("ignore")
def test_no_served_flow_runs_what_lies_in_the_project_or_the_landing_folder(cage):
    folder, marks = cage
    tonight = {"landing": "landing", "db": "archive", "model": "data/models/default", "tracking": "sqlite:///mlflow.db"}
    wanted = [["retrain/weekly", {}], ["nightly/nightly", tonight | {"reports": "nights"}]]
    with serving(folder) as (port, _):
        known = json.loads((folder / ".prefect/credentials.json").read_text())
        done = run_deployments(port, known["prefect"], folder.parent / "client", wanted)
    assert [state for state, _ in done] == ["Completed", "Completed"], done
    (report,) = (folder / "nights").glob("night-*.json")
    assert json.loads(report.read_text())["encode"]["committed"] == 4
    assert canaries.sung(marks) == []


@pytest.mark.filterwarnings("ignore")
def test_no_worker_on_ray_runs_what_lies_among_the_recordings(cage, tmp_path):
    folder, marks = cage
    warm.tiny_model(tmp_path / "model", sorted((folder / "landing").glob("good-*.bin")))
    done = spikinghash(
        folder, "encode", "landing", "--db", tmp_path / "db", "--model", tmp_path / "model", "--workers", 1, "--json"
    )
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["committed"] == 4
    assert canaries.sung(marks) == []
