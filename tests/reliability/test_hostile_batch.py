"""One batch with over 120 hostile files: each costs one quarantine row, the good ones are hashed, nothing gets out."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import hostile
import pytest
import torch
from frame_specs import frame_spec
from hostile_worker import COMMAND

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encoder import Encoder
from spikinghash.events.isolate import IsolatedDecoder, Limits
from spikinghash.frames.framing import Framing
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build
from spikinghash.schema import REASONS
from spikinghash.training.checkpoint import load_model, save_model

#: Recordings in the archive of the last test; 1000 for the full one.
ARCHIVE = int(os.environ.get("ARCHIVE", "100"))

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    meta = Framing(steps=4).meta((34, 34))
    spec = frame_spec(
        "spikinghash", "Nano", 16, ("0", "1"), 4, 32, 32, (34, 34), 8, "atan", meta.to_json()
    )  # fmt: skip
    network = build(spec).network.eval()
    snap_to_grid(network, 8)
    folder = tmp_path_factory.mktemp("model")
    save_model(folder, spec, network, {})
    return folder


@pytest.fixture(scope="module")
def night(model, tmp_path_factory):
    """The batch, run once: (expected reasons, report, database, the tree around the inbox before and after)."""
    root = tmp_path_factory.mktemp("night")
    inbox = root / "inbox"
    inbox.mkdir()
    expected = hostile.write_hostile(inbox)
    for number in range(40):
        (inbox / f"good-{number:02}.bin").write_bytes(hostile.good(seed=100 + number))
    before = tree(root)
    database = CodeDatabase.create_or_open(root / "db")
    started = time.monotonic()
    limits = Limits(seconds=15.0)
    with IsolatedDecoder(limits, COMMAND) as decoder:
        report = encode_recordings(
            discover([inbox]), Encoder(load_model(model)), database, decode=decoder.stream
        )  # fmt: skip
    return expected, report, database, (before, tree(root)), time.monotonic() - started


def tree(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.relative_to(root).parts[0] != "db")


def test_enough_files_of_enough_kinds():
    assert len(hostile.truncations()) >= 100
    others = hostile.columns_that_lie() | hostile.arrays_that_lie() | hostile.foreign() | hostile.archives()
    assert len(others) >= 60


def test_every_hostile_file_has_exactly_one_row_with_its_reason(night):
    expected, _, database, _, _ = night
    rows = {}
    for row in database.quarantined().to_pylist():
        name = Path(row["path"].split("!")[0]).name
        assert name not in rows, f"two rows for {name}"
        rows[name] = row
    assert set(rows) == set(expected)
    wrong = {name: row["reason"] for name, row in rows.items() if row["reason"] not in expected[name]}
    assert wrong == {}
    assert all(row["reason"] in REASONS and row["message"] for row in rows.values())


def test_the_rest_of_the_batch_is_hashed_and_everything_is_counted(night):
    expected, report, database, _, _ = night
    content = report.to_json()
    assert (content["committed"], content["quarantined"], content["pending"]) == (40, len(expected), 0)
    assert content["found"] == 40 + len(expected)
    assert sum(content["reasons"].values()) == len(expected)
    assert database.rows().num_rows == 40


def test_nothing_is_written_outside_and_no_code_ran(night):
    *_, (before, after), _ = night
    assert before == after
    assert not list(Path.cwd().glob("canary*"))
    assert not Path("/tmp/canary").exists()


def test_hostile_files_cost_little_time(night):
    expected, *_, seconds = night
    # one of them hangs until it is stopped
    assert seconds < 15 + 0.2 * len(expected)


def test_an_archive_of_recordings_of_which_some_are_hostile(model, tmp_path):
    bad = hostile.truncations() | hostile.columns_that_lie()
    step = len(bad) * 50 // (3 * ARCHIVE)
    bad = dict(list(bad.items())[:: max(1, step)][: ARCHIVE * 6 // 100])
    good = ARCHIVE - len(bad)
    assert len(bad) == ARCHIVE * 6 // 100
    with zipfile.ZipFile(tmp_path / "night.zip", "w") as archive:
        for number, (name, (data, _)) in enumerate(bad.items()):
            archive.writestr(f"clips/{number:04}/{name}", data)
        for number in range(good):
            archive.writestr(f"clips/{number:04}/good.bin", hostile.good(seed=1000 + number))
    command = [sys.executable, "-m", "spikinghash", "encode", tmp_path / "night.zip", "--db", tmp_path / "db"]
    command += ["--model", model, "--json"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    first = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert first.returncode == 3, first.stderr
    report = json.loads(first.stdout)
    assert (report["found"], report["committed"], report["quarantined"]) == (ARCHIVE, good, len(bad))
    rows = CodeDatabase.open(tmp_path / "db").quarantined().to_pylist()
    reasons = {row["path"].rsplit("/", 1)[1]: row["reason"] for row in rows}
    assert reasons.keys() == bad.keys()
    assert {n: r for n, r in reasons.items() if r not in bad[n][1]} == {}
    assert report["reasons"] == dict(Counter(reasons.values()))
    again = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert again.returncode == 3
    second = json.loads(again.stdout)
    assert (second["committed"], second["skipped"], second["quarantined"], second["pending"]) == (0, good, len(bad), 0)
