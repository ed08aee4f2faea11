"""What is refused for a passing reason is tried again, a few times; what is released, at once; and counts agree."""

import json
from pathlib import Path

import pytest
from tiny_model import recording, save_tiny
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.fsck import fsck
from spikinghash.codes.refusals import TRIES
from spikinghash.codes.release import release
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.reader import decode
from spikinghash.schema import REASONS, TRANSIENT_REASONS
from spikinghash.training.checkpoint import load_model


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save_tiny(folder, 0)
    return Encoder(load_model(folder), workers=1)


@pytest.fixture
def night(tmp_path, encoder):
    """A landing folder of three recordings, a database, and a decoder that refuses one of them as it is told."""
    return Night(tmp_path, encoder)


class Night:
    def __init__(self, folder, encoder):
        self.landing, self.encoder = folder / "in", encoder
        self.landing.mkdir()
        for number in range(3):
            (self.landing / f"{number}.bin").write_bytes(recording(number))
        self.files = sorted(self.landing.iterdir())
        self.database = CodeDatabase.create_or_open(folder / "db")
        self.reason, self.decoded = None, []

    def decode(self, source, **options):
        self.decoded.append(source.path.name)
        if source.path.name == "1.bin" and self.reason is not None:
            raise BadRecording(self.reason, "as told")
        return decode(source, **options)

    def run(self, files=None):
        self.decoded = []
        report = encode_recordings(files or self.files, self.encoder, self.database, decode=self.decode)
        return report.to_json()

    def accounts(self, files=None):
        found = fsck(self.database, self.encoder.model.digest, files or self.files)
        return found.found, found.committed, found.quarantined, found.pending


@pytest.mark.parametrize("reason", sorted(TRANSIENT_REASONS))
def test_a_passing_reason_is_tried_again_and_the_accounts_end_consistent(night, reason):
    night.reason = reason
    first = night.run()
    assert (first["committed"], first["quarantined"], first["reasons"]) == (2, 1, {reason: 1})
    night.reason = None
    second = night.run()
    assert (second["committed"], second["skipped"], second["quarantined"], second["pending"]) == (1, 2, 0, 0)
    assert night.accounts() == (3, 3, 0, 0)
    everything = fsck(night.database)
    assert (everything.committed, everything.quarantined, everything.ok) == (3, 0, True)
    assert everything.reasons == {}


def test_a_recording_that_always_kills_its_decoder_costs_a_few_nights_and_no_more(night):
    night.reason = "timeout"
    for _ in range(TRIES):
        assert night.run()["quarantined"] == 1
        assert "1.bin" in night.decoded
    for _ in range(2):
        report = night.run()
        assert (report["quarantined"], report["reasons"], night.decoded) == (1, {"timeout": 1}, [])
    assert night.database.quarantined().num_rows == TRIES
    assert night.accounts() == (3, 2, 1, 0)
    assert (fsck(night.database).quarantined, fsck(night.database).ok) == (1, True)


@pytest.mark.parametrize("reason", sorted({"truncated", "time-order", "expansion"}))
def test_any_other_reason_is_final(night, reason):
    night.reason = reason
    night.run()
    night.reason = None
    assert night.run()["quarantined"] == 1
    assert night.decoded == []


def test_transient_reasons_are_known_reasons():
    assert TRANSIENT_REASONS < REASONS


def test_released_recordings_are_tried_again(night):
    night.reason = "truncated"
    night.run()
    night.reason = None
    assert release(night.database, reasons=["timeout"]).num_rows == 0
    assert release(night.database, reasons=["truncated"]).num_rows == 1
    assert night.database.quarantined().num_rows == 0
    assert night.accounts() == (3, 2, 0, 1)
    assert night.run()["committed"] == 1
    assert night.accounts() == (3, 3, 0, 0)


def test_release_by_path_takes_files_folders_and_archives(night, monkeypatch):
    night.reason = "truncated"
    night.run()
    monkeypatch.chdir(night.landing.parent)
    assert release(night.database, paths=["elsewhere"]).num_rows == 0
    assert release(night.database, paths=["in/../in/1.bin"], reasons=["memory"]).num_rows == 0
    done = CliRunner().invoke(app, ["release", "--db", night.database.uri, "--path", "in", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"released": 1, "paths": [str(night.files[1])]})
    for wrong in ({}, {"reasons": ["typo"]}):
        with pytest.raises(ConfigError):
            release(night.database, **wrong)


def test_the_spelling_of_a_path_doubles_nothing(night, monkeypatch):
    (night.landing / "empty.bin").write_bytes(b"")
    (night.landing / "link.bin").symlink_to(night.landing / "0.bin")
    (night.landing / "short.bin").write_bytes(recording(9)[:-3])
    files = sorted(night.landing.iterdir())
    assert night.run(files)["quarantined"] == 3
    rows = night.database.quarantined().num_rows
    monkeypatch.chdir(night.landing.parent)
    for spelling in ("in", "./in", "in/../in"):
        again = sorted(Path(spelling).iterdir())
        assert night.accounts(again) == (6, 3, 3, 0)
        assert night.run(again)["quarantined"] == 3
        assert night.database.quarantined().num_rows == rows
    assert fsck(night.database).quarantined == 3


def test_rows_of_older_versions_with_relative_paths_keep_counting(night, monkeypatch):
    from spikinghash.codes import new_rows

    monkeypatch.chdir(night.landing.parent)
    (night.landing / "link.bin").symlink_to(night.landing / "0.bin")
    files = sorted(Path("in").iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(new_rows, "absolute", lambda path: path)
        night.run(files)
    (row,) = night.database.quarantined().to_pylist()
    assert row["path"] == "in/link.bin"
    assert night.run(sorted(night.landing.iterdir()))["quarantined"] == 1
    assert night.database.quarantined().num_rows == 1
    assert night.accounts(sorted(night.landing.iterdir())) == (4, 3, 1, 0)


def test_two_runs_at_once_count_one_try(night):
    """The rows of a refusal know how many there were before: whoever comes second adds none."""
    from spikinghash.codes.new_rows import Refused, quarantine_rows

    refused = [Refused("x.bin", "s", BadRecording("timeout", "m"))]
    for known in (0, 0, 1, 1):
        rows = quarantine_rows(refused, "m")
        night.database.quarantine(rows, {("s", "x.bin", "m"): known})
    assert night.database.quarantined().num_rows == 2
