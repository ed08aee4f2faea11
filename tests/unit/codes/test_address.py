"""Where a database is: odd names are read back or refused before anything is written; secrets are never shown."""

import json
import subprocess
import sys

import pytest
from damaged import content, rows_of, sound
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.address import database_address
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.landing import fetch_landing
from spikinghash.codes.store_errors import store_errors
from spikinghash.errors import BadStore, ConfigError, Temporary
from spikinghash.remote_store import open_store


@pytest.mark.parametrize("name", ["a b", "ü#x", "q?y", "100%", "a+b", "%", "%zz", "a=b", "[x]", "d;e"])
def test_a_folder_of_an_odd_name_is_read_back(tmp_path, name):
    database = CodeDatabase.create_or_open(tmp_path / name / "db")
    database.append(rows_of([1, 2]))
    assert len(content(CodeDatabase.open(tmp_path / name / "db"))) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize("name", ["a%20b", "%41", "x%2Fy/db", "a%2520b"])
def test_a_name_that_would_be_decoded_is_refused_before_anything_is_written(tmp_path, name):
    for use in (CodeDatabase.create_or_open, CodeDatabase.open):
        with pytest.raises(ConfigError, match="percent"):
            use(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", " ", "/", "//", "a\0b", "x\udcff"])
def test_an_address_that_is_no_folder_is_refused(name):
    with pytest.raises(ConfigError):
        database_address(name)


@pytest.mark.parametrize("command", ["fsck", "compact", "vacuum", "index"])
def test_the_root_folder_is_a_user_error(command):
    done = CliRunner().invoke(app, [command, "--db", "//", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["reason"] == "ConfigError"


@pytest.mark.parametrize("command", [["release", "--path", "x"], ["fsck", "--repair"]])
def test_an_empty_address_is_a_user_error(command):
    done = subprocess.run(
        [sys.executable, "-m", "spikinghash", *command, "--db", "", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "database is empty" in json.loads(done.stdout)["error"]["message"]


def test_no_refusal_shows_a_password(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://root:hunter2@127.0.0.1:9")
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    shown = []
    place = "s3://root:hunter2@bucket/night"
    for use in (
        lambda: CodeDatabase.open(place),
        lambda: CodeDatabase.create_or_open(place),
        lambda: open_store(place),
        lambda: open_store("nonsense://root:hunter2@host/x"),
        lambda: open_store("s3://?secret_key=hunter2"),
        lambda: fetch_landing(place, tmp_path),
    ):
        with pytest.raises((ConfigError, BadStore, Temporary)) as refusal:
            use()
        shown.append(str(refusal.value))
    for error in (OSError(5, "GET https://root:hunter2@host/x failed"), OSError(28, "full")):
        with pytest.raises((BadStore, Temporary)) as refusal, store_errors(place):
            raise error
        shown.append(str(refusal.value))
    assert not [text for text in shown if "hunter2" in text]
    assert "***" in shown[0]


@pytest.mark.parametrize("hours", ["0", "5", "23.9", "nan", "inf", "-1", "1e300"])
def test_vacuum_wants_a_time_longer_than_any_run(tmp_path, hours):
    database = sound(tmp_path)
    database.compact()
    done = CliRunner().invoke(app, ["vacuum", "--db", database.uri, f"--keep-hours={hours}", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["reason"] == "ConfigError"
    allowed = CliRunner().invoke(app, ["vacuum", "--db", database.uri, f"--keep-hours={hours}", "--no-writers"])
    assert allowed.exit_code == (0 if hours in ("0", "5", "23.9") else 1)
    assert len(content(database)) == 20


def test_vacuum_keeps_the_file_of_a_run_that_has_not_committed_yet(tmp_path):
    from spikinghash.codes.append_rows import commit_files, next_mark
    from spikinghash.codes.schema import CODE_ROWS, conform
    from spikinghash.codes.write_parts import write_parts

    database = sound(tmp_path)
    table = database.snapshot("codes")
    actions = write_parts(table, conform(rows_of([70]), CODE_ROWS))
    assert database.vacuum(24) == 0
    commit_files(table, actions, [], [next_mark(table, "x")])
    assert len(content(database)) == 22
