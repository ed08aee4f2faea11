"""A changed key re-runs exactly the stages that read it, whatever lies in DVC's run cache."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc_data.hashfile.meta import Meta
from pipeline import copy_project, dvc
from watched_params import Watched, leaves

from spikinghash.params import Params, load_params

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
KEYS = leaves(load_params(ROOT / "params.yaml"))
#: Where things run, which changes no result: read by `train`, known to no stage.
NOT_DECLARED = {"data.cache", "ray.address", "ray.storage"}
#: Writes the outputs of a stage, always the same, so that what follows runs only for a reason of its own.
STAND_IN = """
import pathlib, sys
with open("runs.log", "a") as runs:
    runs.write(sys.argv[1] + "\\n")
for name in sys.argv[2:]:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("the same")
"""


def tiny(params):
    params["synthesize"]["limit"] = 160
    params["train"] |= {"epochs": 1, "workers": 1, "batch": 16}
    params["evaluate"]["k"] = [1, 10]


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Keys that each stage really reads while it runs."""
    folder = copy_project(tmp_path_factory.mktemp("read"), tiny)
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in STAGES:
            seen: set[str] = set()
            getattr(importlib.import_module(f"stages.{name}"), name)(Watched(load_params(Path("params.yaml")), seen))
            found[name] = seen
    return found


@pytest.mark.filterwarnings("ignore")
def test_a_stage_declares_what_it_reads_and_nothing_else(read):
    for name, stage in STAGES.items():
        declared = {key for p in stage["params"] for key in KEYS if key == p or key.startswith(f"{p}.")}
        assert declared == read[name] - NOT_DECLARED, name


def test_no_knob_has_a_name_that_dvc_leaves_out_of_its_run_cache():
    names = {part for key in KEYS for part in key.split(".")} | set(Params.model_fields)
    assert not names & {Meta.PARAM_SIZE, Meta.PARAM_NFILES}


@pytest.mark.filterwarnings("ignore")
def test_every_key_runs_the_stages_that_read_it_with_a_filled_run_cache(read, tmp_path):
    stages = {}
    for name, stage in STAGES.items():
        outputs = [
            next(iter(o)) if isinstance(o, dict) else o for k in ("outs", "metrics", "plots") for o in stage.get(k, ())
        ]
        # stages depend on each other as they do; code is one file for all
        deps = [d for d in stage["deps"] if not d.startswith(("spikinghash/", "stages/"))]
        command = f"{sys.executable} make.py {name} {' '.join(outputs)}"
        stages[name] = {"cmd": command, "deps": [*deps, "make.py"], "params": stage["params"], "outs": outputs}
    (tmp_path / "make.py").write_text(STAND_IN)
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    path = yaml.safe_load((ROOT / "params.yaml").read_text())["dataset"]["path"]
    (tmp_path / f"{path}-other").mkdir(parents=True)
    (tmp_path / f"{path}-other" / "a").write_text("other recordings")
    dvc(tmp_path, "init", "--no-scm", "-q")
    driver = [sys.executable, "-P", Path(__file__).with_name("repro_each_key.py"), json.dumps(KEYS)]
    done = subprocess.run(driver, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    ran = json.loads(done.stdout.splitlines()[-1])
    assert ran.pop("") == list(STAGES)
    expected = {key: [name for name in STAGES if key in read[name] - NOT_DECLARED] for key in KEYS}
    assert {key: sorted(stages) for key, stages in ran.items()} == {k: sorted(v) for k, v in expected.items()}
