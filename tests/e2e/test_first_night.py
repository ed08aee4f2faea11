"""The first night: no champion, no folders, nothing landed, files that arrive meanwhile."""

import json
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pipeline import ROOT, dvc
from registry_cases import write_params
from tiny_model import recording, save_tiny

from spikinghash.configs import model_spec
from spikinghash.data.store import SampleStore
from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.params import load_params

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def place(tmp_path, monkeypatch):
    write_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_champion_it_fails_at_once_and_says_how_to_get_one(prefect, place):
    from pipelines.nightly import nightly

    started = time.monotonic()
    with pytest.raises((BadCheckpoint, ConfigError), match=r"spikinghash registry (add|promote)"):
        nightly()
    assert time.monotonic() - started < 20  # three retries took 71 s
    assert Path("data/landing").is_dir()


def test_an_empty_landing_folder_is_a_good_night(prefect, place):
    from pipelines.nightly import nightly

    save_tiny(place / "model", 1)
    done = nightly(model="model")
    assert (done["encode"]["found"], done["fsck"]["ok"], done["index_rows"]) == (0, True, 0)
    assert Path(done["report"]).is_relative_to("reports/nightly")


@pytest.mark.parametrize("names", [["a.bin"], ["a.bin", "bad*.bin"]])
def test_the_first_line_the_last_line_and_the_page_say_whether_to_act(prefect, place, caplog, names):
    from prefect.artifacts import Artifact

    from pipelines.nightly import nightly

    save_tiny(place / "model", 1)
    (place / "landing").mkdir()
    for name, content in zip(names, (recording(1), b""), strict=False):
        (place / "landing" / name).write_bytes(content)
    logger = logging.getLogger("prefect.flow_runs")
    logger.addHandler(caplog.handler)
    done = nightly(landing="landing", db="db", model="model")
    logger.removeHandler(caplog.handler)
    said = [record.getMessage() for record in caplog.records if record.name == logger.name]
    ours = [line for line in said if not line.startswith(("Finished in state", "Beginning flow run"))]
    text = Path(done["report"]).with_suffix(".md").read_text()
    if len(names) == 1:
        assert done["act"] is None
        assert ours[-1] == "Nothing to do."
        assert text.startswith("# Nothing to do.")
    else:
        assert ours[-1] == f"ACT: {done['act'][0]}"
        assert "1 of 2 new recordings were refused" in ours[-1]
        assert "| empty | 1 | 1 | landing/bad\\*.bin |" in text
    assert Artifact.get("night-report").data == text


def test_the_account_is_of_what_was_there_when_the_night_began(prefect, place, monkeypatch):
    from pipelines import nightly as module

    save_tiny(place / "model", 1)
    (place / "landing").mkdir()
    (place / "landing/a.bin").write_bytes(recording(1))
    real = module.encode_recordings

    def late(files, *rest, **named):
        (place / "landing/late.bin").write_bytes(recording(2))
        return real(files, *rest, **named)

    monkeypatch.setattr(module, "encode_recordings", late)
    done = module.nightly(landing="landing", db="db", model="model")
    assert (done["fsck"]["found"], done["fsck"]["ok"]) == (1, True)


def test_without_git_the_project_is_made_ready(tmp_path):
    """As downloaded without `.git`: DVC is told before anything else."""
    for name in ("Makefile", "dvc.yaml", "params.yaml", "constraints.txt", "pyproject.toml"):
        shutil.copy2(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".dvc", tmp_path / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp", "config.local"))
    shutil.copytree(ROOT / "tuning", tmp_path / "tuning", ignore=shutil.ignore_patterns("tmp", "config.local"))
    assert dvc(tmp_path, "status").returncode != 0
    subprocess.run(["make", "scm", f"BIN={Path(sys.executable).parent}"], cwd=tmp_path, check=True)
    assert "SCM" not in dvc(tmp_path, "status").stderr
    assert dvc(tmp_path, "stage", "list").returncode == 0
    assert dvc(tmp_path / "tuning", "stage", "list").returncode == 0


def test_one_class_is_nothing_to_learn(learned):
    store = SampleStore.open(learned / "data/frames")
    params = load_params(ROOT / "params.yaml")

    class OneClass:
        spec, path, classes = store.spec, store.path, ["7"]

    with pytest.raises(ConfigError, match=r"classes \['7'\]; with fewer than two nothing is learned"):
        model_spec(params, OneClass())
    assert json.loads((learned / "data/frames/ledger.json").read_text())["doubtful_times"] == 0
