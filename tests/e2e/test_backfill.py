"""A change of model: the new one is backfilled beside the old, promoted in one step, and used the next night."""

import json
import shutil

import mlflow
import pytest
from registry_cases import NAME, add_version, write_params
from tiny_model import recording
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.database import CodeDatabase
from spikinghash.index.flat import HammingIndex
from spikinghash.promote_with_codes import ARCHIVE_LOCK
from spikinghash.run_lock import run_lock

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.filterwarnings("ignore")]
CHAMPION = "models:/spikinghash@champion"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with params.yaml, recordings, and two registered models; their folders and digests."""
    uri = write_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    landing = tmp_path / "landing"
    landing.mkdir()
    for seed in range(5):
        (landing / f"{seed}.bin").write_bytes(recording(seed, 500 + 800 * seed))
    digests = [add_version(uri, tmp_path / f"model-{seed}", seed, 0.5) for seed in (1, 2)]
    return tmp_path, digests


def run(*arguments, expected=0):
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exit_code == expected, done.stdout + done.stderr
    return json.loads(done.stdout)


def night(folder):
    from pipelines.nightly import nightly

    return nightly(
        landing=str(folder / "landing"), db=str(folder / "db"), model=CHAMPION, reports=str(folder / "reports")
    )


def answers(folder, model=None):
    named = () if model is None else ("--model", model)
    results = run("search", folder / "landing/0.bin", "--db", folder / "db", *named)["results"]
    return [(hit["clip_id"], hit["distance"]) for hit in results]


def test_the_champion_changes_in_one_step_and_both_stay_searchable(prefect, place):
    from pipelines.promote import promote

    folder, (old, new) = place
    assert promote(1, "the first model")["to"] == 1
    first = night(folder)
    assert (first["encode"]["committed"], first["index_rows"]) == (5, 5)
    before = answers(folder, CHAMPION)

    refused = CliRunner().invoke(app, ["registry", "promote", "2", "--reason", "x", "--db", str(folder / "db")])
    assert refused.exit_code == 1
    assert "5 of 5 recordings of the champion have no code of version 2 yet" in refused.stderr

    # backfill beside: the champion and what it finds stay as they are
    filled = run("encode", folder / "landing", "--db", folder / "db", "--model", folder / "model-2")
    assert (filled["committed"], filled["skipped"]) == (5, 0)
    database = CodeDatabase.open(folder / "db")
    assert database.models() == sorted([old, new])
    assert answers(folder, CHAMPION) == answers(folder, folder / "model-1") == before
    theirs = answers(folder, folder / "model-2")
    assert {clip for clip, _ in theirs} == {clip for clip, _ in before}
    assert theirs != before  # other codes, other distances

    changed = run("registry", "promote", 2, "--reason", "backfilled and compared", "--db", folder / "db")
    assert changed["aliases"]["champion"] == 2
    assert [entry["state"] for entry in changed["log"]] == ["done", "done"]
    assert answers(folder, CHAMPION) == theirs
    old_index = HammingIndex.load(folder / "db/index" / old)

    (folder / "landing/late.bin").write_bytes(recording(9))
    second = night(folder)
    assert (second["encode"]["committed"], second["encode"]["skipped"]) == (1, 5)
    assert second["fsck"]["ok"]
    assert json.loads((folder / "reports").joinpath(second["report"]).read_text())["model"] == new
    assert len(database.load(new)) == 6
    assert len(database.load(old)) == 5
    assert HammingIndex.load(folder / "db/index" / new).manifest.rows == 6
    assert HammingIndex.load(folder / "db/index" / old).manifest == old_index.manifest

    assert run("registry", "rollback", "--reason", "worse on late clips")["aliases"]["champion"] == 1
    assert night(folder)["encode"]["committed"] == 1  # the late clip, for the old model


def test_promoting_hashes_the_archive_first(place):
    folder, (old, new) = place
    run("registry", "promote", 1, "--reason", "the first model", "--db", folder / "db", expected=1)
    run("encode", folder / "landing", "--db", folder / "db", "--model", folder / "model-1")
    run("registry", "promote", 1, "--reason", "the first model", "--db", folder / "db")
    (folder / "landing/bad.bin").write_bytes(b"no recording")
    asked = ("registry", "promote", 2, "--reason", "better", "--db", folder / "db", "--archive", folder / "landing")
    done = run(*asked, expected=3)
    assert done["aliases"]["champion"] == 2
    assert (done["backfill"]["committed"], done["backfill"]["quarantined"]) == (5, 1)
    database = CodeDatabase.open(folder / "db")
    assert len(database.load(new)) == len(database.load(old)) == 5
    assert HammingIndex.load(folder / "db/index" / new).manifest.rows == 5
    assert answers(folder, CHAMPION) == answers(folder, folder / "model-2")


def test_without_a_model_the_champion_hashes_and_searches(place):
    folder, (old, _) = place
    shutil.copytree(folder / "model-1", folder / "data/models/default")
    encode = ("encode", folder / "landing", "--db", folder / "db")
    assert run(*encode)["committed"] == 5  # nobody is champion: the model of the pipeline
    assert CodeDatabase.open(folder / "db").models() == [old]
    run("registry", "promote", 1, "--reason", "the first model", "--db", folder / "db")
    assert answers(folder) == answers(folder, folder / "model-1")
    # retrained: what nobody promoted is not in use
    shutil.rmtree(folder / "data/models/default")
    shutil.copytree(folder / "model-2", folder / "data/models/default")
    told = CliRunner().invoke(app, ["search", str(folder / "landing/0.bin"), "--db", str(folder / "db")])
    assert told.exit_code == 0
    assert "with the champion, version 1; data/models/default is another model" in told.stderr
    assert answers(folder) == answers(folder, folder / "model-1")
    assert run(*encode)["skipped"] == 5
    run("registry", "promote", 2, "--reason", "better", "--db", folder / "db", "--archive", folder / "landing")
    assert answers(folder) == answers(folder, folder / "model-2")
    run("registry", "rollback", "--reason", "no, it is not")
    assert answers(folder) == answers(folder, folder / "model-1")
    # by other means: known from the next look on
    mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}").set_registered_model_alias(NAME, "champion", "2")
    run("registry", "list")
    assert answers(folder) == answers(folder, folder / "model-2")


def test_what_is_said_is_looked_at_before_anything_is_hashed(place):
    folder, _ = place
    asked = ("registry", "promote", "1", "--db", str(folder / "db"), "--archive", str(folder / "landing"))
    empty = {"the reason is empty": ["--reason", " "], "--override says is empty": ["--reason", "x", "--override", ""]}
    for said, options in empty.items():
        done = CliRunner().invoke(app, [*asked, *options])
        assert done.exit_code == 1
        assert said in done.stderr
    assert not (folder / "db").exists()


def test_a_night_at_work_is_named_and_promoted_after(place):
    folder, (_, new) = place
    run("encode", folder / "landing", "--db", folder / "db", "--model", folder / "model-1")
    run("registry", "promote", 1, "--reason", "the first model", "--db", folder / "db")
    asked = ("registry", "promote", 2, "--reason", "better", "--db", folder / "db", "--archive", folder / "landing")
    with run_lock(folder / ".runs", ARCHIVE_LOCK, run="nightly"):
        told = CliRunner().invoke(app, [*map(str, asked)])
        assert told.exit_code == 75
        assert "nightly is running here, process" in told.stderr
        # hashing goes on beside the night, the champion stays
        assert len(CodeDatabase.open(folder / "db").load(new)) == 5
        assert run("registry", "list")["aliases"]["champion"] == 1
        (folder / "landing/late.bin").write_bytes(recording(9))
        run("encode", folder / "landing", "--db", folder / "db", "--model", folder / "model-1")
    assert run(*asked)["aliases"]["champion"] == 2
    assert len(CodeDatabase.open(folder / "db").load(new)) == 6


def test_the_flow_refuses_with_the_commands_line(prefect, place):
    from pipelines.promote import promote
    from spikinghash.errors import ConfigError

    with pytest.raises(ConfigError, match="no version 7"):
        promote(7, "does not exist")


def test_the_flow_is_started_by_hand_only():
    from pipelines.promote import promote

    assert promote.to_deployment("by-hand").schedules == []
