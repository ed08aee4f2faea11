"""Stages, flows and Ray workers run nothing that lies in the project folder or among the recordings."""

import json
import os
import subprocess
import sys

import canaries
import hostile
import pytest
import warm
from pipeline import copy_project, dvc, spikinghash, stages_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OURS = {"spikinghash", "stages", "pipelines"}
MODULES = (
    "stages.synthesize", "stages.ingest", "stages.train", "stages.encode", "stages.index", "stages.evaluate",
    "stages.report", "stages.experiment", "pipelines.nightly", "pipelines.retrain", "pipelines.promote",
    "pipelines.deployments", "dvc.cli", "dvc.repo.reproduce", "ray", "ray.train.torch", "mlflow",
    "mlflow.store.tracking.sqlalchemy_store", "prefect.engine", "uvicorn", "multiprocessing.spawn",
)  # fmt: skip
FLOW = """
import json
from pipelines.nightly import nightly
from pipelines.retrain import retrain
from prefect.testing.utilities import prefect_test_harness
with prefect_test_harness(server_startup_timeout=120):
    made = retrain()
    night = nightly("landing", "archive", "data/models/default", "nights", "sqlite:///mlflow.db")
print(json.dumps([made, night]))
"""


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
def test_no_flow_runs_what_lies_in_the_project_or_the_landing_folder(cage):
    folder, marks = cage
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-P", "-c", FLOW], cwd=folder, capture_output=True, text=True, check=False, timeout=400,
        env=plain | {"PREFECT_HOME": str(folder.parent / "prefect")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    made, night = json.loads(done.stdout.splitlines()[-1])
    assert made["registered"]["version"] == 1
    assert night["encode"]["committed"] == 4
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
