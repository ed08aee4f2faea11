"""Two runs at once in one project, each a process of its own: both end in order, and nothing is done twice.

Ten minutes, so a part of `make reliability`; in short, within one process, they are in `test_retrain_flow.py` and
`test_backfill.py`.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest
import yaml
from pipeline import closed_form, copy_project, dvc, spikinghash, stages_run

from spikinghash.codes.database import CodeDatabase

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif("FULL" not in os.environ, reason="part of make reliability"),
]
LANDED = 60
#: Runs a flow with parameters and prints what it returned.
RUN = """
import json, sys
from importlib import import_module
name, parameters = sys.argv[1], json.loads(sys.argv[2])
print(json.dumps(getattr(import_module(f"pipelines.{name}"), name)(**parameters)))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project whose model is champion, with recordings that have landed."""
    folder = copy_project(tmp_path_factory.mktemp("made"), closed_form)
    assert "report" in stages_run(dvc(folder, "repro", "report"))
    landing = folder / "data/landing"
    landing.mkdir()
    for number, path in enumerate(sorted((folder / "data/raw/digits").rglob("*.bin"))[:LANDED]):
        shutil.copy2(path, landing / f"{number}.bin")
    for arguments in (("add",), ("promote", 1, "--reason", "the first model")):
        done = spikinghash(folder, "registry", *arguments)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def away(made, tmp_path):
    """A copy of that project."""
    return shutil.copytree(made, tmp_path / "project", symlinks=True)


def start(folder, flow, **parameters):
    from prefect.settings import PREFECT_API_URL

    return subprocess.Popen(
        [sys.executable, "-P", "-c", RUN, flow, json.dumps(parameters)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()},
    )  # fmt: skip


def end(process):
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out.splitlines()[-1])


def wait_until_held(folder, name, process):
    """Until a flow holds a lock of the project and has said so."""
    path, until = folder / f".runs/{name}.lock", time.monotonic() + 120
    while not (path.exists() and f'"pid": {process.pid},' in path.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def want_other_codes(folder, bits=32):
    """Let the next retrain make another model."""
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["model"]["bits"] = bits
    path.write_text(yaml.safe_dump(params))


def versions(folder):
    return json.loads(spikinghash(folder, "registry", "list", "--json").stdout)["versions"]


def test_of_two_retrains_one_works_and_the_other_waits_or_says_who_it_is(prefect, away):
    want_other_codes(away)
    first = start(away, "retrain")
    wait_until_held(away, "retrain", first)
    hasty, patient = start(away, "retrain"), start(away, "retrain", wait_s=300)
    _, said = hasty.communicate(timeout=120)
    assert hasty.returncode != 0
    assert f"another retrain is running here, process {first.pid} on " in said
    mine, theirs = end(first), end(patient)
    assert "train" in mine["ran"]
    assert theirs["ran"] == []
    assert (mine["registered"]["version"], theirs["registered"]["version"]) == (2, 2)
    assert (mine["registered"]["new"], theirs["registered"]["new"]) == (True, False)
    assert len(versions(away)) == 2


def test_a_cancelled_retrain_leaves_no_process_behind_and_the_next_one_finishes(prefect, away):
    want_other_codes(away)
    retrain = start(away, "retrain")
    until = time.monotonic() + 200
    while not any("stages.train" in " ".join(child.cmdline()) for child in children(retrain)):
        assert retrain.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)
    everyone = children(retrain)
    retrain.terminate()
    retrain.communicate(timeout=60)
    _, alive = psutil.wait_procs(everyone, 30)
    assert alive == []
    done = end(start(away, "retrain"))
    assert "train" in done["ran"]
    assert done["registered"]["version"] == 2


def children(process):
    with suppress(psutil.Error):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def test_dvc_repro_by_hand_during_a_retrain_is_told_and_changes_nothing(prefect, away):
    want_other_codes(away)
    retrain = start(away, "retrain")
    until = time.monotonic() + 120
    while not list((away / ".runs").glob("retrain.lock")) or not (away / ".dvc/tmp/rwlock").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    by_hand = dvc(away, "repro", "report")
    done = end(retrain)
    if by_hand.returncode != 0:
        assert "lock" in by_hand.stderr + by_hand.stdout
    assert done["registered"]["version"] == 2
    assert done["registered"]["digest"] == versions(away)[0]["digest"]
    assert dvc(away, "repro", "report").returncode == 0


def test_a_retrain_during_a_night(prefect, away):
    want_other_codes(away)
    night = start(away, "nightly")
    retrain = start(away, "retrain")
    hashed, trained = end(night), end(retrain)
    assert (hashed["encode"]["committed"], hashed["fsck"]["ok"]) == (LANDED, True)
    assert (trained["registered"]["version"], trained["registered"]["new"]) == (2, True)
    assert versions(away)[1]["aliases"] == ["champion"]


def test_a_promotion_during_a_night_waits_for_it_and_leaves_no_recording_without_codes(prefect, away):
    want_other_codes(away)
    end(start(away, "retrain"))
    night = start(away, "nightly")
    wait_until_held(away, "archive", night)
    promoted = start(away, "promote", version=2, reason="better", wait_s=300)
    old, new = end(night), end(promoted)
    assert (old["encode"]["committed"], new["to"]) == (LANDED, 2)
    newest, before = versions(away)
    database = CodeDatabase.open(away / "data/archive")
    assert database.committed_recordings(newest["digest"]) == database.committed_recordings(before["digest"])
    assert len(database.committed_recordings(newest["digest"])) == LANDED
    assert newest["aliases"] == ["challenger", "champion"]
