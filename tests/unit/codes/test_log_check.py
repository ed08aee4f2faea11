"""A log that is not whole, or went backwards, is refused by everything and names the way back."""

import shutil
from pathlib import Path

import damaged
import pytest
from damaged import sound
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.fsck import fsck
from spikinghash.errors import BadStore

LOGS = [
    damaged.empty_last_entry, damaged.empty_entry, damaged.cut_entry, damaged.missing_entry,
    damaged.missing_first_entry, damaged.missing_last_entry, damaged.garbage_entry, damaged.lost_log,
    damaged.lost_quarantine_log,
]  # fmt: skip


@pytest.mark.parametrize("damage", LOGS)
def test_a_damaged_log_hides_no_row_without_a_word(tmp_path, damage):
    damage(sound(tmp_path))
    for use in (CodeDatabase.open, CodeDatabase.create_or_open):
        with pytest.raises(BadStore, match="spikinghash fsck --repair"):
            use(tmp_path / "db")
    told = CliRunner().invoke(app, ["fsck", "--db", str(tmp_path / "db"), "--json"])
    assert told.exit_code == 1
    assert "--repair" in told.stdout


def test_a_lost_log_is_not_begun_anew(tmp_path):
    database = sound(tmp_path)
    damaged.lost_log(database)
    with pytest.raises(BadStore, match="its log is lost, 5 data files"):
        CodeDatabase.create_or_open(database.uri)
    assert not Path(database.uri, "codes/_delta_log").exists()


def test_a_log_that_is_replaced_by_an_older_one_went_backwards(tmp_path):
    database = sound(tmp_path)
    shutil.copytree(Path(database.uri, "codes/_delta_log"), tmp_path / "old")
    database.append(damaged.rows_of([40]))
    shutil.rmtree(Path(database.uri, "codes/_delta_log"))
    shutil.copytree(tmp_path / "old", Path(database.uri, "codes/_delta_log"))
    with pytest.raises(BadStore, match="went backwards: version 5, 6 was committed"):
        database.load()


def test_a_copy_of_the_whole_database_is_sound(tmp_path):
    database = sound(tmp_path)
    shutil.copytree(database.uri, tmp_path / "copy")
    copy = CodeDatabase.open(tmp_path / "copy")
    assert fsck(copy).ok
    assert copy.append(damaged.rows_of([41])).written == 2


def test_a_log_with_checkpoints_whose_old_entries_are_gone_is_whole(tmp_path):
    database = sound(tmp_path)
    database.snapshot("codes").create_checkpoint()
    for version in range(4):
        damaged.entry(database, version).unlink()
    assert fsck(database).ok
    assert database.append(damaged.rows_of([42])).written == 2
