"""The whole loop against real servers: train, gate, promote, hash, search, be refused, do better, go back.

The models are learned in closed form; a network would add time alone (`test_retrain_flow.py`, `test_at_once.py`).
"""

import json
import shutil

import pytest
import yaml
from pipeline import closed_form, copy_project, spikinghash
from serving import call_mlflow, run_deployments, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Loop:
    """A served project: its flows by name, its commands, and MLflow's own page."""

    def __init__(self, folder, ports):
        self.folder, (self.prefect, self.mlflow) = folder, ports
        self.passwords = json.loads((folder / ".prefect/credentials.json").read_text())

    def flow(self, name, expected="Completed", **parameters):
        wanted = [[name, parameters]]
        ((state, message),) = run_deployments(self.prefect, self.passwords["prefect"], self.folder / "client", wanted)
        assert state == expected, message
        return message

    def command(self, *arguments, expected=0):
        done = spikinghash(self.folder, *arguments, "--json")
        assert done.returncode == expected, done.stdout + done.stderr
        return json.loads(done.stdout) if expected == 0 else done.stderr

    def registry(self):
        return self.command("registry", "list")

    def train(self, **changes):
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        params["model"] |= changes
        path.write_text(yaml.safe_dump(params))
        self.flow("retrain/weekly")
        return self.registry()["versions"][0]

    def move_champion_by_hand(self, version):
        """As MLflow's page does it."""
        body = {"name": "spikinghash", "alias": "champion", "version": str(version)}
        call_mlflow(self.mlflow, self.passwords["mlflow"], "registered-models/alias", body)

    def night(self):
        self.flow("nightly/nightly")
        newest = max((self.folder / "reports/nightly").glob("night-*.json"), key=lambda path: path.stat().st_mtime)
        return json.loads(newest.read_text())

    def answers(self, *named):
        found = self.command("search", self.folder / "data/landing/0.bin", *named)
        return [(hit["clip_id"], hit["distance"]) for hit in found["results"]]

    def land(self, first, last):
        landing = self.folder / "data/landing"
        landing.mkdir(exist_ok=True)
        for number, path in enumerate(sorted((self.folder / "data/raw/digits/test").rglob("*.bin"))[first:last], first):
            shutil.copy2(path, landing / f"{number}.bin")


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    folder = copy_project(tmp_path_factory.mktemp("loop"), closed_form)
    with serving(folder) as ports:
        yield Loop(folder, ports)


def test_the_story(loop):
    # nothing is champion: a night says so, and is no success
    (loop.folder / "data/landing").mkdir(parents=True)
    assert "spikinghash registry promote" in loop.flow("nightly/nightly", expected="Failed")

    # the first model: judged alone, promoted with codes of what has landed
    first = loop.train()
    assert (first["version"], first["gate"], first["aliases"]) == (1, "passed", ["challenger"])
    loop.land(0, 6)
    loop.flow("promote/by-hand", version=1, reason="the first model")
    loop.land(6, 8)
    night = loop.night()
    assert (night["model"], night["encode"]["committed"], night["encode"]["skipped"]) == (first["digest"], 2, 6)
    with_first = loop.answers()
    assert len(with_first) == 7  # all but itself

    # worse on purpose: refused by rule and figure, also by who promotes
    worse = loop.train(method="lsh", bits=8)
    assert (worse["version"], worse["gate"]) == (2, "refused")
    assert any(line.startswith("map: mAP ") and "against" in line for line in worse["refused"])
    assert "the gate refused version 2: " in loop.flow("promote/by-hand", "Failed", version=2, reason="why not")
    assert loop.registry()["aliases"]["champion"] == 1

    # better: promoted, and searched with at once
    better = loop.train(method="itq", bits=64)
    assert (better["version"], better["gate"]) == (3, "passed")
    assert better["map"] > first["map"]
    loop.flow("promote/by-hand", version=3, reason="better on every class")
    with_better = loop.answers()
    assert with_better == loop.answers("--model", "models:/spikinghash/3") != with_first

    # somebody moves the alias in MLflow's page: the next night takes it down
    loop.move_champion_by_hand(1)
    assert loop.night()["model"] == first["digest"]
    assert [(entry["action"], entry["to"]) for entry in loop.registry()["log"]] == [
        ("promote", 1), ("promote", 3), ("by-hand", 1),
    ]  # fmt: skip
    assert loop.command("registry", "rollback", "--reason", "nobody knows why")["aliases"]["champion"] == 3
    assert loop.answers() == with_better

    # and back: the old codes answer at once
    assert loop.command("registry", "rollback", "--reason", "worse on late clips")["aliases"]["champion"] == 1
    assert loop.answers() == with_first


def test_every_night_is_in_mlflow_once(loop):
    reports = sorted((loop.folder / "reports/nightly").glob("night-*.json"))
    assert len(reports) == 2
    asked = call_mlflow(loop.mlflow, loop.passwords["mlflow"], "experiments/get-by-name?experiment_name=nightly")
    body = {"experiment_ids": [asked["experiment"]["experiment_id"]]}
    runs = call_mlflow(loop.mlflow, loop.passwords["mlflow"], "runs/search", body)["runs"]
    assert sorted(run["info"]["status"] for run in runs) == ["FINISHED", "FINISHED"]
