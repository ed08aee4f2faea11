"""A staged rollout: every night hashes with the challenger too, each recording once for each, and compares both."""

import json
from pathlib import Path

import pytest
from registry_cases import add_version, write_params
from tiny_model import recording, save_tiny
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.fsck import fsck

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.filterwarnings("ignore")]
CHAMPION, CHALLENGER = "models:/spikinghash@champion", "models:/spikinghash@challenger"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with params.yaml, eight recordings, a bad one, and no model in the registry yet."""
    uri = write_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("landing").mkdir()
    for seed in range(8):
        Path(f"landing/{seed}.bin").write_bytes(recording(seed, 500 + 300 * seed))
    return uri


def add(uri, seed):
    """Register a model as challenger; its digest."""
    return add_version(uri, Path(f"model-{seed}"), seed, 0.5)


def promoted(version):
    from pipelines.promote import promote

    promote(version, "tested")


def night(shadow=CHALLENGER):
    from pipelines.nightly import nightly

    return nightly(landing="landing", db="db", model=CHAMPION, reports="reports", shadow=shadow)


def encode(*arguments, expected=0):
    done = CliRunner().invoke(app, ["encode", *map(str, arguments), "--db", "db", "--settle-s", "0", "--json"])
    assert done.exit_code == expected, done.stdout + done.stderr
    return json.loads(done.stdout)


def each_once(digest, count):
    database = CodeDatabase.open("db")
    accounts = fsck(database, digest, sorted(Path("landing").glob("*.bin")))
    assert (accounts.duplicates, accounts.pending, len(database.load(digest))) == (0, 0, count)


def test_champion_and_challenger_hash_the_same_night(prefect, place):
    old = add(place, 1)
    promoted(1)
    new = add(place, 2)
    first = night()
    assert (first["encode"]["committed"], first["shadow"]["encode"]["committed"]) == (8, 8)
    for digest in (old, new):
        each_once(digest, 8)
    told = json.loads(Path(first["report"]).read_text())["shadow"]
    assert (told["model"], told["both"], told["asked"]) == (new, 8, 8)
    assert told["overlap"] == 1.0  # of eight recordings the ten nearest are all
    assert told["bits"]["clips"] == 8

    for seed in range(20, 28):
        Path(f"landing/{seed}.bin").write_bytes(recording(seed, 500 + 100 * seed))
    second = night()
    assert (second["encode"]["committed"], second["shadow"]["encode"]["committed"]) == (8, 8)
    told = json.loads(Path(second["report"]).read_text())["shadow"]
    assert (told["both"], told["asked"], 0 < told["overlap"] < 1) == (16, 8, True)
    text = Path(second["report"]).with_suffix(".md").read_text()
    assert "nearest clips are the same under both models, for 8 clips of tonight among 16" in text
    for digest in (old, new):
        each_once(digest, 16)


def test_what_a_kill_between_the_two_left_the_next_night_hashes(prefect, place):
    old = add(place, 1)
    promoted(1)
    new = add(place, 2)
    encode("landing", "--model", "model-1")  # all that a night does before its shadow begins
    assert CodeDatabase.open("db").models() == [old]
    done = night()
    assert (done["encode"]["committed"], done["encode"]["skipped"]) == (0, 8)
    assert done["shadow"]["encode"]["committed"] == 8
    assert json.loads(Path(done["report"]).read_text())["shadow"]["asked"] == 8
    again = night()
    assert (again["shadow"]["encode"]["committed"], again["shadow"]["encode"]["skipped"]) == (0, 8)
    for digest in (old, new):
        each_once(digest, 8)


def test_a_shadow_that_fails_fails_no_night(prefect, place):
    add(place, 1)
    promoted(1)
    same = night()  # the champion has the alias challenger still
    assert "it is the model in use" in same["shadow"]["problem"]
    missing = night("models:/spikinghash@nobody")
    assert "nobody" in missing["shadow"]["problem"]
    Path("broken").mkdir()
    Path("broken/model.json").write_text("{}")
    broken = night("broken")
    assert broken["shadow"]["problem"]
    for done in (same, missing, broken):
        assert done["fsck"]["ok"]
        assert done["act"] is None
    assert "the shadow did not hash" in Path(broken["report"]).with_suffix(".md").read_text().splitlines()[0]
    assert night(None)["shadow"] is None


def test_a_champion_that_was_moved_by_other_means_needs_a_person(prefect, place):
    import mlflow

    add(place, 1)
    promoted(1)
    add(place, 2)
    assert night(None)["act"] is None
    mlflow.MlflowClient(place).set_registered_model_alias("spikinghash", "champion", 2)
    (said,) = night(None)["act"]
    assert said.startswith("The champion is version 2, before version 1, by other means")
    assert night(None)["act"] is None  # the log knows it


def test_rows_that_are_lost_show_in_what_the_pinned_queries_find(prefect, place):
    add(place, 1)
    promoted(1)
    assert night(None)["act"] is None
    Path("db").rename("lost")
    for seed in range(4):
        Path(f"landing/{seed}.bin").unlink()  # a database of half the recordings takes the place of the whole one
    done = night(None)
    (said,) = done["act"]
    assert done["fsck"]["ok"]
    assert said.startswith("The pinned queries find 0.500 of what they found on")


def test_encode_hashes_with_a_shadow_and_keeps_its_own_exit_code(place):
    save_tiny(Path("model-1"), 1)
    new = save_tiny(Path("model-2"), 2)
    Path("landing/bad.bin").write_bytes(b"")
    done = encode("landing", "--model", "model-1", "--shadow", "model-2", expected=3)
    assert (done["committed"], done["shadow"]["model"], done["shadow"]["encode"]["committed"]) == (8, new, 8)
    Path("landing/bad.bin").unlink()
    again = encode("landing", "--model", "model-1", "--shadow", "model-2")
    assert (again["skipped"], again["shadow"]["encode"]["skipped"], again["shadow"]["problem"]) == (8, 8, None)
    failed = encode("landing", "--model", "model-1", "--shadow", "nowhere")
    assert failed["shadow"]["encode"] is None
    assert "nowhere" in failed["shadow"]["problem"]
    assert "shadow" not in encode("landing", "--model", "model-1")


def test_encode_on_ray_hashes_with_both(place):
    models = [save_tiny(Path(f"model-{seed}"), seed) for seed in (1, 2)]
    done = encode("landing", "--model", "model-1", "--shadow", "model-2", "--workers", 1)
    assert (done["committed"], done["shadow"]["encode"]["committed"]) == (8, 8)
    assert CodeDatabase.open("db").models() == sorted(models)
