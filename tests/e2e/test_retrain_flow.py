"""The retrain flow under Prefect: it drives a real DVC project, and its schedule is registered."""

import pytest
from pipeline import dvc

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
pathlib.Path("reports/metrics.json").write_text(json.dumps({"metrics": {"map": {"value": 0.5}}}))
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    (tmp_path / "make.py").write_text(MAKE)
    dvc(tmp_path, "init", "--no-scm", "-q")
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_the_flow_runs_what_changed_and_nothing_twice(prefect, project):
    from pipelines.retrain import retrain

    assert retrain(str(project)) == {"ran": ["report"], "map": 0.5}
    assert retrain(str(project)) == {"ran": [], "map": 0.5}


@pytest.mark.filterwarnings("ignore")
def test_a_failing_stage_fails_the_flow_with_its_message(prefect, project):
    from pipelines.retrain import reproduce

    (project / "make.py").write_text("raise SystemExit('no space for frames')")
    with pytest.raises(RuntimeError, match="report"):
        reproduce.fn(project, "report")


def test_the_schedule_is_weekly_and_valid():
    from prefect.schedules import Cron

    from pipelines.deployments import RETRAIN_CRON

    assert Cron(RETRAIN_CRON, timezone="UTC").cron == "0 3 * * 0"
