"""What people do on their first day: a database among the recordings, a zip made on a Mac, an option given too late."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tiny_model import recording, save_tiny
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.address import database_address
from spikinghash.codes.database import CodeDatabase
from spikinghash.dvc_outputs import refuse_dvc_output
from spikinghash.errors import BadStore, ConfigError

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def place(tmp_path, monkeypatch):
    save_tiny(tmp_path / "model", 1)
    (tmp_path / "landing").mkdir()
    for seed in range(3):
        (tmp_path / "landing" / f"{seed}.bin").write_bytes(recording(seed))
    monkeypatch.chdir(tmp_path / "landing")
    return tmp_path


def run(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_a_database_among_the_recordings_is_no_recording(place):
    options = ("--db", "data/archive", "--model", place / "model", "--settle-s", 0)
    for expected in ({"committed": 3, "skipped": 0}, {"committed": 0, "skipped": 3}, {"committed": 0, "skipped": 3}):
        code, report = run("encode", ".", *options)
        assert code == 0
        assert expected.items() <= report.items()
        assert report["quarantined"] == 0
    assert run("fsck", "--db", "data/archive", "--archive", ".")[1]["ok"]


def test_what_other_systems_leave_in_a_zip_is_left_out(place):
    with zipfile.ZipFile("mac.zip", "w") as out:
        for name in (".DS_Store", "__MACOSX/._9.bin", "day/.hidden", "Thumbs.db", "day/desktop.ini"):
            out.writestr(name, b"no recording")
        out.writestr("day/9.bin", recording(9))
    code, report = run("encode", ".", "--db", place / "db", "--model", place / "model", "--settle-s", 0)
    assert (code, report["found"], report["committed"]) == (0, 4, 4)


def test_an_option_that_comes_too_late_is_told(place):
    options = ("--db", str(place / "db"), "--model", str(place / "model"), "--settle-s", "0")
    assert run("encode", ".", *options)[0] == 0
    done = CliRunner().invoke(app, ["encode", ".", *options, "--time-unit", "ms"])
    assert "3 known recordings were not read again with these options" in done.stderr
    assert "spikinghash release" in done.stderr


WRITERS = [("encode", "."), ("compact",), ("vacuum",), ("release", "--reason", "empty"), ("fsck", "--repair")]


@pytest.mark.parametrize("command", WRITERS)
@pytest.mark.parametrize("address", ["{root}/data/codes", "file://{root}/data/codes"])
def test_no_command_writes_into_an_output_of_dvc(place, command, address):
    (place / "dvc.yaml").write_text("stages:\n  encode:\n    cmd: x\n    outs: [data/codes]\n")
    CodeDatabase.create_or_open(place / "data/codes")
    start = [sys.executable, "-E", "-P", Path(__file__).parents[3] / "spikinghash/start.py", "spikinghash"]
    done = subprocess.run(
        [*start, *command, "--db", address.format(root=place), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    assert "belongs to the DVC stage encode" in json.loads(done.stdout)["error"]["message"]


def test_other_places_are_no_outputs_of_dvc(place):
    (place / "dvc.yaml").write_text("stages:\n  encode:\n    cmd: x\n    outs: [data/codes]\n")
    for other in (place / "data/codes2", "s3://bucket/data/codes", place / "data"):
        refuse_dvc_output(other)


@pytest.mark.parametrize(
    "address", ["s3://user:sEcReT@bucket/x", "http://u:sEcReT@127.0.0.1:9/db", "ftp://h/x", "s3://k@b/x"]
)
def test_an_address_with_a_password_or_of_an_unknown_kind_is_refused_unread(address):
    with pytest.raises(ConfigError) as error:
        database_address(address)
    assert "sEcReT" not in str(error.value)
    assert "repair" not in str(error.value)


def test_codes_that_are_gone_are_not_begun_anew_beside_their_quarantine(place):
    CodeDatabase.create_or_open(place / "db")
    shutil.rmtree(place / "db/codes")
    with pytest.raises(BadStore, match="the codes are gone, the quarantine is there"):
        CodeDatabase.create_or_open(place / "db")
