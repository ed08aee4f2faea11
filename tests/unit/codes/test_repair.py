"""`fsck --repair`: every kind of damage ends in a database that is ok; nothing is invented, what is dropped is told."""

import json
import shutil
from pathlib import Path

import damaged
import pyarrow as pa
import pytest
from damaged import RECORDINGS, content, data, refusal, rows_of, sha_of, sound
from deltalake import write_deltalake
from tiny_model import recording, save_tiny
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.fsck import fsck
from spikinghash.codes.repair import repair
from spikinghash.errors import BadStore

#: damage -> recordings that it costs
KINDS = {
    damaged.lose: 2, damaged.cut: 2, damaged.empty: 2, damaged.swap: 4, damaged.flip: 2,
    damaged.empty_last_entry: 0, damaged.empty_entry: 0, damaged.cut_entry: 0, damaged.missing_entry: 0,
    damaged.missing_first_entry: 0, damaged.missing_last_entry: 0, damaged.garbage_entry: 0,
    damaged.lost_log: 0, damaged.lost_quarantine_log: 0, damaged.doubled: 0, damaged.contradicting: 1,
    damaged.foreign_recording: 0,
}  # fmt: skip


def told(database, *more):
    done = CliRunner().invoke(app, ["fsck", "--repair", "--db", database.uri, "--json", *more])
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.parametrize(("damage", "cost"), KINDS.items(), ids=lambda kind: getattr(kind, "__name__", None))
def test_repair_ends_in_a_sound_database_that_encoding_completes(tmp_path, damage, cost):
    database = sound(tmp_path)
    before, refused = content(database), database.quarantined().to_pylist()
    damage(database)
    code, answer = told(database)
    assert code == 0, answer
    assert answer["ok"]
    assert answer["repaired"]["changed"]
    assert answer["committed"] == RECORDINGS - cost
    after = content(database)
    assert after.items() <= before.items()  # nothing invented, nothing changed
    assert len(before) - len(after) == 2 * cost
    assert database.quarantined().to_pylist() == refused
    assert not repair(database).changed
    for number in range(RECORDINGS):  # what `encode` does with recordings that are not committed
        if sha_of(number) not in database.committed_recordings(damaged.MODEL):
            database.append(rows_of([number]))
    assert content(database) == before
    assert fsck(database).ok
    database.compact()
    assert content(database) == before


def test_dropped_files_and_rows_are_named(tmp_path):
    database = sound(tmp_path)
    damaged.contradicting(database)
    damaged.lose(database)
    lost = repair(database)
    (file,) = lost.files
    assert (file["table"], file["rows"]) == ("codes", 4)
    assert "is gone" in file["problem"]
    assert lost.rows == 4 + 3
    assert lost.recordings == ["in/0.bin"] or len(lost.recordings) == 1
    text = CliRunner().invoke(app, ["fsck", "--repair", "--db", database.uri]).stdout
    assert "nothing had to be done" in text


def test_the_recordings_of_a_lost_file_are_named_by_the_index(tmp_path):
    database = sound(tmp_path)
    assert CliRunner().invoke(app, ["index", "--db", database.uri]).exit_code == 0
    victim = data(database)[1]
    there = {f"in/{n}.bin" for n in (2, 3)}
    victim.unlink()
    code, answer = told(database)
    assert code == 0
    assert set(answer["repaired"]["recordings"]) == there
    assert answer["repaired"]["indexes"] == [str(Path(database.uri, "index", damaged.MODEL))]
    assert not Path(database.uri, "index", damaged.MODEL, "index.json").exists()


def test_a_sound_database_is_left_alone(tmp_path):
    database = sound(tmp_path)
    database.compact()
    assert CliRunner().invoke(app, ["index", "--db", database.uri]).exit_code == 0
    version = database.version()
    code, answer = told(database)
    assert (code, answer["repaired"]["changed"], database.version()) == (0, False, version)


def test_rows_that_a_damaged_log_lost_are_taken_only_from_files_that_verify(tmp_path):
    database = sound(tmp_path)
    victim = data(database)[0]
    damaged.lost_log(database)
    victim.write_bytes(victim.read_bytes()[:-1] + b"\0")
    lost = repair(database)
    assert lost.adopted == 2 * (RECORDINGS - 2)
    assert fsck(database).committed == RECORDINGS - 2


def test_versions_never_go_back(tmp_path):
    database = sound(tmp_path)
    before = database.version()
    damaged.lost_log(database)
    repair(database)
    assert database.version() > before


def test_what_compaction_removed_is_not_taken_up_again(tmp_path):
    database = sound(tmp_path)
    damaged.contradicting(database)
    repair(database)
    dropped = content(database)
    database.compact()
    damaged.entry(database, database.version()).write_bytes(b"")
    repair(database)
    assert content(database) == dropped
    assert fsck(database).ok


def test_a_copy_that_was_cut_short_is_repaired(tmp_path):
    """The log was copied first and the data after it, or the other way round."""
    database = sound(tmp_path)
    shutil.copytree(database.uri, tmp_path / "copy")
    copy = CodeDatabase.open(tmp_path / "copy")
    for path in data(copy)[3:]:
        path.unlink()
    damaged.entry(copy, 2).unlink()
    repair(copy)
    assert fsck(copy).ok
    assert fsck(copy).committed == 6


def test_a_damaged_checkpoint_is_set_aside(tmp_path):
    database = sound(tmp_path)
    before = content(database)
    database.snapshot("codes").create_checkpoint()
    (checkpoint,) = Path(database.uri, "codes/_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(checkpoint.read_bytes()[:50])
    with pytest.raises(BadStore, match="--repair"):
        database.load()
    repair(database)
    assert content(database) == before


def test_another_schema_version_is_left_alone_and_says_why(tmp_path):
    database = sound(tmp_path)
    damaged.older_schema(database)
    code, answer = told(database)
    assert code == 1
    assert "nothing was changed" in answer["error"]["message"]
    with pytest.raises(BadStore, match="schema version 0"):
        CodeDatabase.open(database.uri)


def test_a_quarantine_doubled_by_spellings_of_a_path_is_single_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    database = sound(tmp_path)
    for path in ("in/x.bin", str(tmp_path / "in/x.bin"), "in/../in/x.bin"):
        database.quarantine(refusal(7, path=path, sha256=None))
    assert fsck(database).quarantined == 2
    assert repair(database).duplicates == 2
    assert fsck(database).quarantined == 2
    assert database.quarantined().num_rows == 2


def test_there_must_be_a_database(tmp_path):
    with pytest.raises(BadStore, match="no code database here"):
        repair(CodeDatabase(str(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


def test_files_that_may_not_be_read_are_no_damage(tmp_path):
    """A missing permission must not drop rows."""
    from spikinghash.codes import check_files

    database = sound(tmp_path)

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_files, "wrong", forbidden)
        with pytest.raises(BadStore, match="who may read"):
            repair(database)
    assert fsck(database).ok


def test_files_without_a_digest_cannot_be_told_from_damaged_ones_once_the_log_is_lost(tmp_path):
    """They stay readable while the log names them; their rows are not taken up on trust."""
    database = sound(tmp_path)
    schema = database.rows().schema
    old = pa.Table.from_pylist(rows_of([60]).to_pylist(), schema=schema)
    write_deltalake(f"{database.uri}/codes", old, mode="append")
    assert fsck(database).committed == RECORDINGS + 1
    damaged.lost_log(database)
    repair(database)
    assert fsck(database).committed == RECORDINGS


@pytest.mark.parametrize("damage", [damaged.lose, damaged.swap, damaged.empty_last_entry, damaged.lost_log])
def test_the_next_encode_hashes_what_repair_dropped(tmp_path, damage):
    """A whole night: encode, damage, encode refuses and says how to get back, repair, encode, and all is accounted."""
    save_tiny(tmp_path / "model", 0)
    landing = tmp_path / "in"
    landing.mkdir()
    for number in range(5):
        (landing / f"{number}.bin").write_bytes(recording(number))
    (landing / "empty.bin").write_bytes(b"")

    def encode(*names):
        paths = [str(landing / name) for name in names] or [str(landing)]
        done = CliRunner().invoke(
            app, ["encode", *paths, "--db", str(tmp_path / "db"), "--model", str(tmp_path / "model"), "--json"]
        )
        return done.exit_code, json.loads(done.stdout)

    for number in range(5):  # five commits
        encode(f"{number}.bin")
    assert encode()[0] == 3
    database = CodeDatabase.open(tmp_path / "db")
    before = content(database)
    damage(database)
    code, answer = encode()
    assert code == 1
    assert "spikinghash fsck --repair" in answer["error"]["message"]
    code, answer = told(database, "--archive", str(landing))
    assert answer["found"] == answer["committed"] + answer["quarantined"] + answer["pending"] == 6
    assert (code, answer["duplicates"], answer["missing"]) == (1 if answer["pending"] else 0, 0, 0)
    code, report = encode()
    assert (code, report["committed"], report["pending"]) == (3, answer["pending"], 0)
    assert content(database) == before
    assert told(database, "--archive", str(landing))[0] == 0
