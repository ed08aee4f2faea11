"""A night under Prefect: new recordings are hashed once, refused ones reported, and a second night finds nothing."""

import json
import zipfile
from pathlib import Path

import mlflow
import pytest
from s3_store import s3_store
from tiny_model import recording, save_tiny

from spikinghash.index.flat import HammingIndex
from spikinghash.training.checkpoint import load_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.filterwarnings("ignore")
def test_two_nights(prefect, learned, tmp_path):
    from pipelines.nightly import nightly

    good = sorted((learned / "data/raw/digits/test").rglob("*.bin"))[:9]
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
        "landing": str(landing), "db": str(tmp_path / "db"), "model": str(learned / "data/models/default"),
        "reports": str(tmp_path / "reports"), "tracking": uri,
    }  # fmt: skip
    first = nightly(**tonight)
    counted = {k: first["encode"][k] for k in ("found", "committed", "skipped", "quarantined", "pending")}
    assert counted == {"found": 9, "committed": 8, "skipped": 0, "quarantined": 1, "pending": 0}
    assert first["fsck"]["ok"]
    assert first["index_rows"] == 8
    assert json.loads(Path(first["report"]).read_text())["bits"]["clips"] == 8
    assert (
        HammingIndex.load(tmp_path / "db/index" / load_model(learned / "data/models/default").digest).manifest.rows == 8
    )
    assert 0 <= json.loads(Path(first["report"]).read_text())["drift_training"] <= 1
    text = Path(first["report"]).with_suffix(".md").read_text()
    assert f"| empty | 1 | 1 | {landing}/empty.bin |".replace("_", "\\_") in text
    told = json.loads(Path(first["report"]).read_text())
    assert told["refused"][0]["message"] == "the file has no bytes"
    assert told["growth"]["before"] == {"codes": 0, "bytes": 0}
    assert told["growth"]["after"]["codes"] == 8
    assert (told["pinned"]["count"], told["pinned"]["lowest"], told["pinned"]["note"]) == (8, 1.0, None)
    # one of nine was refused
    assert "1 of 9 new recordings were refused" in told["act"][-1]
    assert text.startswith("# ACT: ")
    assert next(iter(told)) == "act"

    (landing / "late.bin").write_bytes(good[8].read_bytes())
    second = nightly(**tonight)
    assert (second["encode"]["committed"], second["encode"]["skipped"]) == (1, 8)
    assert 0 <= json.loads(Path(second["report"]).read_text())["drift"] <= 1
    third = nightly(**tonight)
    assert third["encode"]["committed"] == 0
    assert third["act"] is None
    nights = [json.loads(Path(night["report"]).read_text())["encode"]["committed"] for night in (first, second, third)]
    assert nights == [8, 1, 0]  # three reports of one date
    runs = mlflow.MlflowClient(uri).search_runs(
        [mlflow.MlflowClient(uri).get_experiment_by_name("nightly").experiment_id]
    )
    assert sorted(run.data.metrics["committed"] for run in runs) == [0.0, 1.0, 8.0]
    assert {run.data.metrics["recall"] for run in runs} == {1.0}


@pytest.mark.filterwarnings("ignore")
def test_a_night_over_a_bucket(prefect, tmp_path, monkeypatch):
    from pipelines.nightly import nightly

    save_tiny(tmp_path / "model", 1)
    with s3_store("archive") as (settings, client):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in ("a.bin", "deep/b.bin", "../out.bin"):
            client.put_object(Bucket="archive", Key=f"night/{name}", Body=recording(len(name)))
        tonight = {
            "landing": "s3://archive/night", "db": str(tmp_path / "db"), "model": str(tmp_path / "model"),
            "reports": str(tmp_path / "reports"), "cache": str(tmp_path / "cache"),
        }  # fmt: skip
        first, second = nightly(**tonight), nightly(**tonight)
    assert (first["landing"]["fetched"], first["landing"]["refused"]) == (2, {"../out.bin": "has the part '..'"})
    assert (first["encode"]["found"], first["encode"]["committed"], first["fsck"]["ok"]) == (2, 2, True)
    assert (second["encode"]["committed"], second["encode"]["skipped"]) == (0, 2)
    assert sorted(p.name for p in (tmp_path / "cache/s3-archive-night").rglob("*.bin")) == ["a.bin", "b.bin"]
    text = Path(second["report"]).with_suffix(".md").read_text()
    assert "- '../out.bin' is refused" in text
    # a model from before its training codes were kept
    assert json.loads(Path(first["report"]).read_text())["drift_training"] is None
