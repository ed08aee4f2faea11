"""Changing the champion: checked before, one step, and logged whatever happens in between."""

import dataclasses
import json
import shutil

import mlflow
import pytest
from killed_client import Crash, crash_in
from registry_cases import NAME, add_version, set_experiment_place
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.errors import BadCheckpoint, BadStore, ConfigError, Temporary
from spikinghash.tracking.moved_by_hand import record_moved
from spikinghash.tracking.promotion import promote, rollback
from spikinghash.tracking.promotion_log import new_entry, write_entry
from spikinghash.tracking.versions import read_registry

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A registry of three versions; making the database takes seconds, so it is made once and copied."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    set_experiment_place(uri, folder / "artifacts")
    digests = [add_version(uri, folder / f"model-{n}", n, 0.5 + n / 10) for n in (1, 2, 3)]
    return folder, digests


@pytest.fixture
def uri(made, tmp_path):
    shutil.copy2(made[0] / "mlflow.db", tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def champion(uri):
    return read_registry(uri, NAME).aliases.get("champion")


def steps(uri):
    return [(e.action, e.source, e.to, e.state) for e in read_registry(uri, NAME).log]


def test_promotions_and_rollbacks_follow_the_log(uri):
    promote(uri, NAME, 1, "first")
    promote(uri, NAME, 3, "better mAP")
    promote(uri, NAME, 2, "fewer dead bits")
    rollback(uri, NAME, "worse at night")
    assert champion(uri) == 3
    rollback(uri, NAME, "worse still")  # goes further back, not forward again
    assert champion(uri) == 1
    assert steps(uri) == [
        ("promote", None, 1, "done"), ("promote", 1, 3, "done"), ("promote", 3, 2, "done"),
        ("rollback", 2, 3, "done"), ("rollback", 3, 1, "done"),
    ]  # fmt: skip
    assert [e.reason for e in read_registry(uri, NAME).log][1:3] == ["better mAP", "fewer dead bits"]
    with pytest.raises(ConfigError, match="no champion before version 1"):
        rollback(uri, NAME, "further")
    promote(uri, NAME, 2, "again")
    rollback(uri, NAME, "and back")
    assert champion(uri) == 1
    assert read_registry(uri, NAME).problems == []


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 1001])
def test_a_reason_must_say_something_and_fit(uri, reason):
    for change in (lambda: promote(uri, NAME, 1, reason), lambda: rollback(uri, NAME, reason)):
        with pytest.raises(ConfigError, match="the reason"):
            change()
    assert steps(uri) == []


def test_what_cannot_be_champion_is_refused_before_anything_changes(uri):
    with pytest.raises(ConfigError, match=r"no version 9 in the registry .*; versions: 1, 2, 3"):
        promote(uri, NAME, 9, "why not")
    with pytest.raises(ConfigError, match="no version is champion"):
        rollback(uri, NAME, "why not")
    with pytest.raises(ConfigError, match="no model 'nobody'"):
        promote(uri, "nobody", 1, "why not")
    promote(uri, NAME, 1, "first")
    with pytest.raises(ConfigError, match="version 1 is champion already"):
        promote(uri, NAME, 1, "again")
    assert steps(uri) == [("promote", None, 1, "done")]


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_files_that_do_not_load_are_refused(made, uri, tmp_path, damage):
    folder = tmp_path / "bad"
    set_experiment_place_of(uri, tmp_path / "artifacts")
    add_version(uri, folder, 7, 0.9)
    (weights,) = (tmp_path / "artifacts").rglob("model.safetensors")
    data = weights.read_bytes()
    if damage == "gone":
        shutil.rmtree(weights.parent)
    else:
        weights.write_bytes(data[:-5] if damage == "cut" else bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(BadCheckpoint) as caught:
        promote(uri, NAME, 4, "looks good")
    assert "version 4" in str(caught.value) or "models:/spikinghash/4" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert champion(uri) is None
    assert steps(uri) == []


def set_experiment_place_of(uri, folder):
    # the experiment of the copied database keeps artifacts beside the first one
    client = mlflow.MlflowClient(uri)
    client.rename_experiment(client.get_experiment_by_name(NAME).experiment_id, "old")
    set_experiment_place(uri, folder)


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_around_the_switch_is_never_silent(uri, monkeypatch, after):
    promote(uri, NAME, 1, "first")
    with monkeypatch.context() as broken:
        crash_in(broken, "set_registered_model_alias", after)
        with pytest.raises(Crash):
            promote(uri, NAME, 2, "second")
    found = read_registry(uri, NAME)
    assert found.aliases["champion"] == (2 if after else 1)
    assert found.log[-1].state == ("done" if after else "pending")
    assert [p for p in found.problems if "version 2" in p] == found.problems
    assert len(found.problems) == (0 if after else 1)
    promote(uri, NAME, 3, "third")  # settles what was left open
    state = "done" if after else "abandoned"
    assert steps(uri)[1:] == [("promote", 1, 2, state), ("promote", 2 if after else 1, 3, "done")]
    rollback(uri, NAME, "back")
    assert champion(uri) == (2 if after else 1)


def test_a_crash_before_the_intent_changes_nothing(uri, monkeypatch):
    with monkeypatch.context() as broken:
        crash_in(broken, "set_registered_model_tag", after=False)
        with pytest.raises(Crash):
            promote(uri, NAME, 2, "second")
    assert (champion(uri), steps(uri)) == (None, [])


def test_whoever_comes_between_wins_and_the_other_is_told(uri, monkeypatch):
    real = mlflow.MlflowClient.set_registered_model_tag
    once = []

    def interrupted(self, *arguments, **more):
        real(self, *arguments, **more)
        if not once:
            once.append(True)
            promote(uri, NAME, 3, "from another desk")

    monkeypatch.setattr(mlflow.MlflowClient, "set_registered_model_tag", interrupted)
    with pytest.raises(Temporary, match="someone else is changing the champion"):
        promote(uri, NAME, 2, "from this desk")
    assert champion(uri) == 3
    assert steps(uri) == [("promote", None, 2, "abandoned"), ("promote", None, 3, "done")]


def test_a_crash_after_the_switch_is_told_even_if_another_gave_way_since(uri, monkeypatch):
    real = mlflow.MlflowClient.set_registered_model_alias

    def switch_while_another_tries(self, *arguments, **more):
        monkeypatch.setattr(mlflow.MlflowClient, "set_registered_model_alias", real)
        other = new_entry([], "promote", None, 3, "gave way")
        write_entry(self, NAME, dataclasses.replace(other, state="abandoned", key="promotion.00000002.other"))
        real(self, *arguments, **more)
        raise Crash

    monkeypatch.setattr(mlflow.MlflowClient, "set_registered_model_alias", switch_while_another_tries)
    with pytest.raises(Crash):
        promote(uri, NAME, 1, "first")
    assert steps(uri) == [("promote", None, 1, "done"), ("promote", None, 3, "abandoned")]
    assert read_registry(uri, NAME).problems == []
    promote(uri, NAME, 2, "second")
    assert [state for *_, state in steps(uri)] == ["done", "abandoned", "done"]


def test_an_alias_moved_by_other_means_is_told(uri):
    promote(uri, NAME, 1, "first")
    mlflow.MlflowClient(uri).set_registered_model_alias(NAME, "champion", "2")
    assert read_registry(uri, NAME).problems == [
        "version 2 is champion, but the log ends with version 1: the alias was moved by other means"
    ]
    rollback(uri, NAME, "worse")
    assert champion(uri) == 1
    assert read_registry(uri, NAME).problems == []
    assert steps(uri) == [("promote", None, 1, "done"), ("by-hand", 1, 2, "done"), ("rollback", 2, 1, "done")]


def test_an_alias_moved_by_other_means_is_taken_down_once(uri):
    assert record_moved(uri, NAME) is None
    promote(uri, NAME, 1, "first")
    assert record_moved(uri, NAME) is None
    mlflow.MlflowClient(uri).set_registered_model_alias(NAME, "champion", "2")
    assert (record_moved(uri, NAME).to, record_moved(uri, NAME)) == (2, None)
    assert read_registry(uri, NAME).problems == []
    promote(uri, NAME, 3, "better")
    rollback(uri, NAME, "worse")
    assert champion(uri) == 2
    mlflow.MlflowClient(uri).delete_registered_model_alias(NAME, "champion")
    assert record_moved(uri, NAME) is None


def test_a_tag_that_only_looks_like_an_entry_is_named(uri):
    mlflow.MlflowClient(uri).set_registered_model_tag(NAME, "promotion.1", "by hand")
    with pytest.raises(BadStore, match=r"tag promotion\.1 of the registered model is no promotion entry"):
        read_registry(uri, NAME)


# the commands


def registry(*arguments):
    return CliRunner().invoke(app, ["registry", *map(str, arguments)])


def test_the_commands_in_json(made, uri):
    _, digests = made
    place = ("--uri", uri, "--name", NAME, "--json")
    done = registry("promote", 2, "--reason", "best so far", *place)
    assert done.exit_code == 0, done.stderr
    listed = json.loads(registry("list", *place).stdout)
    assert json.loads(done.stdout) == listed
    assert [v["version"] for v in listed["versions"]] == [3, 2, 1]
    assert listed["aliases"] == {"challenger": 3, "champion": 2}
    (entry,) = listed["log"]
    assert (entry["from"], entry["to"], entry["action"], entry["reason"]) == (None, 2, "promote", "best so far")
    assert entry["time"].endswith("+00:00")
    two = listed["versions"][1]
    assert (two["digest"], two["bits"], two["method"], two["size"]) == (digests[1], 16, "spikinghash", "Nano")
    shown = json.loads(registry("show", 2, *place).stdout)
    assert shown["versions"] == [two | {"metrics": {"accuracy": 0.5, "map": 0.7}}]
    assert shown["log"] == [entry]
    assert json.loads(registry("show", 1, *place).stdout)["log"] == []


def test_the_commands_for_a_person(uri):
    place = ("--uri", uri, "--name", NAME)
    registry("promote", 1, "--reason", "first", *place)
    text = registry("promote", 3, "--reason", "better", *place).stdout
    assert "0.800" in text
    assert "champion" in text
    assert "1 -> 3" in text
    rolled = registry("rollback", "--reason", "worse", *place)
    assert rolled.exit_code == 0
    assert "rollback  3 -> 1" in rolled.stdout
    assert "accuracy" in registry("show", 1, *place).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("promote", 7, "--reason", "x"), "no version 7"),
        (("promote", 1, "--reason", " "), "reason is empty"),
        (("rollback", "--reason", "x"), "no version is champion"),
        (("show", 7), "no version 7"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(uri, arguments, message):
    done = registry(*arguments, "--uri", uri, "--name", NAME)
    assert done.exit_code == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_place_that_is_not_given_is_read_from_the_params(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = registry("list", "--json")
    assert done.exit_code == 1
    assert "params.yaml: not found" in done.stderr
