"""A night under Prefect: new recordings are hashed once, refused ones reported, and a second night finds nothing."""

import json
import zipfile
from pathlib import Path

import mlflow
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.filterwarnings("ignore")
def test_two_nights(prefect, project, tmp_path):
    from pipelines.nightly import nightly

    folder, _ = project
    good = sorted((folder / "data/raw/digits/test").rglob("*.bin"))[:9]
    landing = tmp_path / "landing"
    landing.mkdir()
    for path in good[:4]:
        (landing / path.name).write_bytes(path.read_bytes())
    with zipfile.ZipFile(landing / "archive.zip", "w") as archive:
        for path in good[4:8]:
            archive.write(path, path.name)
    (landing / "empty.bin").write_bytes(b"")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    tonight = {
        "landing": str(landing), "db": str(tmp_path / "db"), "model": str(folder / "data/models/default"),
        "reports": str(tmp_path / "reports"), "tracking": uri,
    }  # fmt: skip
    first = nightly(**tonight)
    counted = {k: first["encode"][k] for k in ("found", "committed", "skipped", "quarantined", "pending")}
    assert counted == {"found": 9, "committed": 8, "skipped": 0, "quarantined": 1, "pending": 0}
    assert first["fsck"]["ok"]
    assert first["index_rows"] == 8
    assert json.loads(Path(first["report"]).read_text())["bits"]["clips"] == 8
    assert "| empty | 1 |" in Path(first["report"]).with_suffix(".md").read_text()

    (landing / "late.bin").write_bytes(good[8].read_bytes())
    second = nightly(**tonight)
    assert (second["encode"]["committed"], second["encode"]["skipped"]) == (1, 8)
    assert 0 <= json.loads(Path(second["report"]).read_text())["drift"] <= 1
    third = nightly(**tonight)
    assert third["encode"]["committed"] == 0
    runs = mlflow.MlflowClient(uri).search_runs(
        [mlflow.MlflowClient(uri).get_experiment_by_name("nightly").experiment_id]
    )
    assert sorted(run.data.metrics["committed"] for run in runs) == [0.0, 1.0, 8.0]


def test_the_schedule_is_nightly_and_valid():
    from prefect.schedules import Cron

    from pipelines.deployments import NIGHTLY_CRON

    assert Cron(NIGHTLY_CRON, timezone="UTC").cron == "0 1 * * *"
