"""The retrain flow under Prefect: it drives a real DVC project, and its schedule is registered."""

import json
from pathlib import Path

import pytest
from pipeline import dvc

from spikinghash.errors import ConfigError, SpikinghashError, Temporary

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DVC_YAML = """
stages:
  report:
    cmd: python make.py
    deps: [make.py]
    metrics: [reports/metrics.json: {cache: false}]
"""
MAKE = """
import json, pathlib
pathlib.Path("reports").mkdir(exist_ok=True)
pathlib.Path("reports/metrics.json").write_text(json.dumps({"map": 0.5}))
"""

INGEST = """
import json, os, pathlib
pathlib.Path("data/frames").mkdir(parents=True, exist_ok=True)
pathlib.Path("data/frames/ledger.json").write_text(json.dumps({"found": len(os.listdir("labelled"))}))
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A DVC project of one stage, which is also the current directory, as for a served flow."""
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    (tmp_path / "make.py").write_text(MAKE)
    dvc(tmp_path, "init", "--no-scm", "-q")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_the_flow_registers_what_the_pipeline_made_once(prefect, learned, monkeypatch):
    from pipelines.retrain import retrain

    monkeypatch.chdir(learned)
    first, second = retrain(), retrain()
    assert (second["ran"], second["map"]) == ([], json.loads(Path("reports/metrics.json").read_text())["map"])
    assert first["registered"]["version"] == second["registered"]["version"]
    assert not second["registered"]["new"]


@pytest.mark.filterwarnings("ignore")
def test_stages_run_once_and_what_they_say_is_streamed(prefect, small, capsys):
    from pipelines.retrain import reproduce

    assert reproduce.fn("report") == ["report"]
    assert "Running stage 'report'" in capsys.readouterr().out
    assert reproduce.fn("report") == []


@pytest.mark.filterwarnings("ignore")
def test_a_failing_stage_fails_the_flow_with_its_message(prefect, small):
    from pipelines.retrain import reproduce

    (small / "make.py").write_text("import sys; sys.exit('stages.report: no space for frames')")
    with pytest.raises(SpikinghashError, match="no space for frames"):
        reproduce.fn("report")


@pytest.mark.filterwarnings("ignore")
def test_the_flow_says_how_many_recordings_are_new(prefect, small, capsys):
    from pipelines.retrain import retrain

    lines = ["  ingest:", "    cmd: python ingest.py", "    deps: [labelled]", "    outs: [data/frames/ledger.json]"]
    (small / "dvc.yaml").write_text(DVC_YAML + "\n".join(lines))
    (small / "ingest.py").write_text(INGEST)
    for names in (["a"], ["a", "b", "c"]):
        for name in names:
            (small / "labelled").mkdir(exist_ok=True)
            (small / "labelled" / name).touch()
        retrain.fn("ingest")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("data: ")]
    assert said == ["data: 3 found in the data set, +2 since the last run"]


@pytest.mark.parametrize("target", ["--help", "../other/dvc.yaml", "other/dvc.yaml:report", ""])
def test_a_target_is_a_stage_of_this_project(small, target):
    from pipelines.retrain import reproduce

    with pytest.raises(ConfigError, match=r"is no stage of dvc\.yaml; there are: report"):
        reproduce.fn(target)


def test_the_flow_takes_no_project_from_whoever_calls_the_server():
    from pipelines.retrain import retrain

    assert set(retrain.parameters.properties) == {"target", "wait_s"}


def test_a_second_retrain_says_who_is_at_it(prefect, small):
    from pipelines.retrain import RUNS, retrain
    from spikinghash.run_lock import run_lock

    with run_lock(RUNS, "retrain"), pytest.raises(Temporary, match="another retrain is running here, process"):
        retrain()
