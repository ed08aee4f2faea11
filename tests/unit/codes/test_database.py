"""The code database: exactly once, whoever writes and however often."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from spikinghash.codes import commit
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.schema import CODE_ROWS
from spikinghash.errors import BadStore, ConfigError, StaleModel, Temporary

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def code_rows(ids, model="m1", width=2, split=None, label="cat"):
    n = len(ids)
    return pa.table(
        {
            "clip_id": ids,
            "recording": [f"r-{i}" for i in ids],
            "recording_sha256": ["0" * 64] * n,
            "split": pa.array([split] * n, pa.string()),
            "label": pa.array([label] * n, pa.string()),
            "start_us": list(range(n)),
            "end_us": [i + 5 for i in range(n)],
            "code": [bytes([ord(i[-1])]) * width for i in ids],
            "min_margin": pa.array([0.5] * n, pa.float32()),
            "model": [model] * n,
            "frames": ["f"] * n,
            "encoded_at": [NOW] * n,
        }
    )


def three_commits(folder):
    database = CodeDatabase.create_or_open(folder / "db")
    for clip in "cab":
        database.append(code_rows([clip]))
    return database


def quarantine_rows(sha256="a", path="x.aedat", model="m1"):
    return pa.table(
        {
            "path": [path],
            "sha256": pa.array([sha256], pa.string()),
            "reason": ["truncated"],
            "message": ["cut"],
            "model": [model],
            "seen_at": [NOW],
        }
    )


@pytest.fixture
def database(tmp_path):
    return CodeDatabase.create_or_open(tmp_path / "db")


def test_what_is_written_is_read_back_in_order_of_clip_id(database):
    database.append(code_rows(["b", "c"], split="train"))
    database.append(code_rows(["a"], split="test", label=None))
    codes = database.load()
    assert codes.clip_ids.tolist() == ["a", "b", "c"]
    assert codes.codes.tolist() == [[97, 97], [98, 98], [99, 99]]
    assert codes.labels.tolist() == [None, "cat", "cat"]
    assert codes.recordings.tolist() == ["r-a", "r-b", "r-c"]
    assert codes.splits.tolist() == ["test", "train", "train"]
    assert codes.start_us.tolist() == [0, 0, 1]
    assert codes.end_us.tolist() == [5, 5, 6]
    assert codes.start_us.dtype == np.int64
    assert (codes.model, codes.bits, codes.version, len(codes)) == ("m1", 16, 2, 3)
    assert database.load(split="train").clip_ids.tolist() == ["b", "c"]
    assert database.rows().schema.names == CODE_ROWS.names


def test_appending_again_writes_only_what_is_new(database):
    assert database.append(code_rows(["a", "b"])).written == 2
    again = database.append(code_rows(["a", "b"]))
    assert (again.written, again.skipped, again.version) == (0, 2, 1)
    both = database.append(code_rows(["b", "c", "c"]))
    assert (both.written, both.skipped) == (1, 2)
    assert database.committed_ids("m1") == {"a", "b", "c"}
    assert database.rows().num_rows == 3
    assert database.append(code_rows(["a"], model="m2")).written == 1


def test_nothing_changes_when_files_are_compacted(database):
    for clip in "dbca":
        database.append(code_rows([clip]))
    before = database.load()
    database.compact()
    after = database.load()
    assert after.version > before.version
    assert after.clip_ids.tolist() == before.clip_ids.tolist()
    np.testing.assert_array_equal(after.codes, before.codes)
    assert database.append(code_rows(["a", "e"])).written == 1


def test_a_lost_race_is_run_again_on_a_new_snapshot(database, monkeypatch):
    real, calls = commit.append_rows, []

    def overtaken(table, rows, mark):
        calls.append(rows.num_rows)
        if len(calls) == 1:  # another writer commits clip "a" between our look and our commit
            real(DeltaTable(table.table_uri), rows.slice(0, 1), mark)
        real(table, rows, mark)

    monkeypatch.setattr(commit, "append_rows", overtaken)
    result = database.append(code_rows(["a", "b"]))
    assert calls == [2, 1]
    assert (result.written, result.skipped) == (1, 1)
    assert sorted(database.rows().column("clip_id").to_pylist()) == ["a", "b"]


def test_losing_every_race_is_temporary(database, monkeypatch):
    def lose(*_, **__):
        raise CommitFailedError("Concurrent transaction failed.")

    monkeypatch.setattr(commit, "append_rows", lose)
    monkeypatch.setattr(commit.time, "sleep", lambda _: None)
    with pytest.raises(Temporary, match="run the same command again"):
        database.append(code_rows(["a"]))


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        CommitFailedError("LocalFileSystem: (os error 28)"),
        DeltaError("Failed to parse parquet: Unable to copy data to file: File too large (os error 27)"),
    ],
)
def test_a_full_disk_is_temporary(database, monkeypatch, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(commit, "append_rows", full)
    with pytest.raises(Temporary, match="disk is full"):
        database.append(code_rows(["a"]))


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (OSError("Generic LocalFileSystem error: Unable to rename file: Input/output error (os error 5)"), True),
        (OSError(24, "Too many open files"), True),
        (OSError("Generic S3 error: Error performing PUT in 3s, after 10 retries - Server error 503"), True),
        (OSError("Generic S3 error: error sending request for url"), True),
        (OSError("Generic S3 error: Error performing PUT in 1s, after 0 retries - 403 Forbidden"), False),
        (PermissionError(13, "Permission denied"), False),
    ],
)
def test_a_failed_write_is_temporary_where_trying_again_may_help(database, monkeypatch, error, temporary):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(commit, "append_rows", fail)
    with pytest.raises(Temporary if temporary else BadStore) as refusal:
        database.append(code_rows(["a"]))
    assert "\n" not in str(refusal.value)


WRITER = """
import sys, time
sys.path[:0] = [{tests!r}, {root!r}]
from test_database import CodeDatabase, code_rows, quarantine_rows
open(sys.argv[2], "w").close()
while not __import__("pathlib").Path({go!r}).exists():
    time.sleep(0.002)
database = CodeDatabase.create_or_open({db!r})
written = 0
for batch in range(6):
    written += database.append(code_rows([f"clip-{{i:03}}" for i in range(batch * 5, batch * 5 + 10)])).written
    database.quarantine(quarantine_rows(sha256=str(batch)))
print(written)
"""


def test_two_processes_never_double_a_clip(tmp_path):
    go, ready = tmp_path / "go", [tmp_path / f"ready-{n}" for n in range(2)]
    here = Path(__file__)
    script = WRITER.format(tests=str(here.parent), root=str(here.parents[3]), go=str(go), db=str(tmp_path / "db"))
    writers = [
        subprocess.Popen([sys.executable, "-c", script, "-", str(mark)], stdout=subprocess.PIPE, text=True)
        for mark in ready
    ]
    while not all(mark.exists() for mark in ready):
        assert all(writer.poll() is None for writer in writers)
    go.touch()
    written = [int(writer.communicate(timeout=60)[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    database = CodeDatabase.open(tmp_path / "db")
    ids = database.rows().column("clip_id").to_pylist()
    assert sorted(ids) == [f"clip-{i:03}" for i in range(35)]
    assert sum(written) == 35
    assert sorted(database.quarantined().column("sha256").to_pylist()) == list("012345")


def test_two_models_are_never_mixed(database):
    database.append(code_rows(["a"], model="m1"))
    database.append(code_rows(["a", "b"], model="m2", width=8))
    with pytest.raises(StaleModel, match="m1, m2"):
        database.load()
    assert database.load(model="m2").bits == 64
    assert database.models() == ["m1", "m2"]
    with pytest.raises(StaleModel, match="no codes of model m3"):
        database.load(model="m3")


def test_quarantine_is_exactly_once_by_content_path_and_model(database):
    for rows in [quarantine_rows(), quarantine_rows(), quarantine_rows(path="y"), quarantine_rows(model="m2")]:
        database.quarantine(rows)
    database.quarantine(quarantine_rows(sha256=None))
    database.quarantine(quarantine_rows(sha256=None))
    assert database.quarantined().num_rows == 4
    assert database.quarantined("m2").column("reason").to_pylist() == ["truncated"]


def test_a_missing_database_is_named(tmp_path):
    with pytest.raises(BadStore, match="no code database here"):
        CodeDatabase.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_database_says_what_to_do(database):
    with pytest.raises(BadStore, match="spikinghash encode"):
        database.load()
    assert database.committed_ids("m1") == set()


def test_an_unknown_split_is_answered_with_the_splits(database):
    database.append(code_rows(["a"], split="train"))
    with pytest.raises(ConfigError, match="splits: train"):
        database.load(split="trian")


def test_codes_of_another_width_are_refused(database):
    database.append(code_rows(["a"], width=2))
    with pytest.raises(BadStore, match="2 bytes, not 4"):
        database.append(code_rows(["b"], width=4))
    mixed = pa.concat_tables([code_rows(["c"], width=2), code_rows(["d"], width=4)])
    with pytest.raises(BadStore, match="different widths"):
        database.append(mixed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop_columns(["frames"]), "lack the column frames"),
        (lambda rows: rows.append_column("extra", [["x"]]), "extra"),
        (lambda rows: rows.set_column(0, "clip_id", [pa.array([None], pa.string())]), "1 nulls"),
        (lambda rows: rows.set_column(5, "start_us", [["soon"]]), "start_us"),
        (lambda rows: rows.set_column(9, "model", [[""]]), "empty model"),
    ],
)
def test_rows_that_do_not_fit_are_refused(database, change, message):
    with pytest.raises(BadStore, match=message):
        database.append(change(code_rows(["a"])))
    assert database.rows().num_rows == 0


def test_another_schema_version_is_refused(database):
    log = Path(database.uri) / "codes/_delta_log/00000000000000000000.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "metaData" in line:
            line["metaData"]["configuration"] = {"spikinghash.schema": "99"}
    log.write_text("\n".join(json.dumps(line) for line in lines))
    with pytest.raises(BadStore, match="schema version 99"):
        CodeDatabase.open(database.uri)


def test_damage_is_one_clear_line(database):
    database.append(code_rows(["a"]))
    for file in Path(database.uri, "codes").rglob("*.parquet"):
        file.write_bytes(b"not parquet")
    with pytest.raises(BadStore, match="damaged or unreadable") as refusal:
        database.load()
    assert "\n" not in str(refusal.value)
    (Path(database.uri) / "codes/_delta_log/00000000000000000001.json").write_text("garbage")
    with pytest.raises(BadStore, match="damaged or unreadable"):
        database.load()


def test_model_digests_may_hold_any_character(database):
    model = "sha256:ab/c d=é"
    database.append(code_rows(["a"], model=model))
    assert database.append(code_rows(["a"], model=model)).written == 0
    assert database.load(model=model).model == model
