"""Accounting and export: nothing lost, doubled or damaged goes unseen, and others can read the codes."""

import datetime
import json
import os
import stat
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.check_rows import clip_id_fault
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.fsck import fsck
from spikinghash.errors import BadStore, ConfigError, StaleModel
from spikinghash.events.source import open_source
from spikinghash.index.export import export

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def rows(ids, model="m1", width=8, sha256=None):
    n = len(ids)
    return pa.table(
        {
            "clip_id": ids, "recording": ids, "recording_sha256": sha256 or [f"sha-{i}" for i in ids],
            "start_us": [0] * n, "end_us": [5] * n, "code": [bytes([ord(i[-1])] * width) for i in ids],
            "model": [model] * n, "frames": ["f"] * n, "encoded_at": [NOW] * n,
        }
    )  # fmt: skip


def refused(sha256, path):
    return pa.table(
        {
            "path": [path], "sha256": pa.array([sha256], pa.string()), "reason": ["truncated"], "message": ["cut"],
            "model": ["m1"], "seen_at": [NOW],
        }
    )  # fmt: skip


@pytest.fixture
def database(tmp_path):
    database = CodeDatabase.create_or_open(tmp_path / "db")
    database.append(rows(["c1", "c2"]))
    database.append(rows(["c3"]))
    return database


def test_a_sound_database_is_ok(database):
    database.append(rows(["c1"], model="m2", width=2))
    database.quarantine(refused("s", "x.bin"))
    accounts = fsck(database)
    assert accounts.ok
    assert (accounts.committed, accounts.quarantined, accounts.pending) == (3, 1, 0)
    assert accounts.reasons == {"truncated": 1}
    assert (fsck(database, "m2").committed, fsck(database, "m2").quarantined) == (1, 0)


def test_a_doubled_row_is_seen(database, tmp_path):
    again = database.rows("m1").slice(0, 1)
    write_deltalake(str(tmp_path / "db" / "codes"), again, mode="append")
    accounts = fsck(database)
    assert not accounts.ok
    assert accounts.duplicates == 1
    assert "more than once" in accounts.problems[0]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1 not any more")])
def test_a_file_that_is_gone_or_broken_hides_nothing_of_the_others(database, tmp_path, damage):
    files = sorted((tmp_path / "db" / "codes").rglob("*.parquet"))
    assert len(files) == 2
    damage(files[0])
    accounts = fsck(database)
    assert not accounts.ok
    assert accounts.missing == 1
    assert accounts.committed in (1, 2)


def test_inputs_are_committed_quarantined_or_pending(database, tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in ("done", "bad", "new"):
        (inbox / f"{name}.bin").write_bytes(name.encode() * 5)
    digest = {name: open_source(inbox / f"{name}.bin").sha256 for name in ("done", "bad")}
    database.append(rows(["c9"], sha256=[digest["done"]]))
    database.quarantine(refused(digest["bad"], str(inbox / "bad.bin")))
    accounts = fsck(database, files=sorted(inbox.iterdir()))
    assert (accounts.found, accounts.committed, accounts.quarantined, accounts.pending) == (3, 1, 1, 1)
    assert not accounts.ok
    assert "new.bin" in accounts.problems[0]
    database.append(rows(["c1"], model="m2"))
    with pytest.raises(ConfigError, match="several models"):
        fsck(database, files=[])


def test_the_commands(database, tmp_path):
    done = CliRunner().invoke(app, ["fsck", "--db", database.uri, "--json"])
    assert done.exit_code == 0
    content = json.loads(done.stdout)
    assert {"committed", "quarantined", "pending", "duplicates", "missing", "ok"} <= set(content)
    out = tmp_path / "codes.parquet"
    told = json.loads(CliRunner().invoke(app, ["export", "--db", database.uri, "--out", str(out), "--json"]).stdout)
    assert told == {"rows": 3, "bits": 64, "path": str(out), "model": "m1"}
    assert CliRunner().invoke(app, ["export", "--db", database.uri, "--out", str(tmp_path / "x.csv")]).exit_code == 1


def test_exports_hold_the_same_codes_in_the_order_of_ids(database, tmp_path):
    export(database, tmp_path / "codes.parquet")
    table = pq.read_table(tmp_path / "codes.parquet")
    assert table.column("clip_id").to_pylist() == ["c1", "c2", "c3"]
    told = export(database, tmp_path / "codes.faiss")
    index = faiss.deserialize_index_binary(np.frombuffer((tmp_path / "codes.faiss").read_bytes(), np.uint8))
    query = np.frombuffer(table.column("code")[1].as_py(), np.uint8)[None]
    distances, found = index.search(query, 1)
    assert (int(distances[0, 0]), int(found[0, 0])) == (0, 1)
    assert pq.read_table(Path(told["ids"])).column("clip_id")[1].as_py() == "c2"


def test_export_wants_one_model_that_is_there(database, tmp_path):
    with pytest.raises(BadStore, match="no codes of model m7"):
        export(database, tmp_path / "a.parquet", "m7")
    database.append(rows(["c1"], model="m2"))
    with pytest.raises(ConfigError, match="name one: --model"):
        export(database, tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "stdout"])
@pytest.mark.parametrize("suffix", [".parquet", ".faiss"])
def test_an_output_takes_the_place_of_no_device_pipe_or_folder(database, tmp_path, kind, suffix):
    out = tmp_path / f"out{suffix}"
    if kind == "folder":
        out.mkdir()
    elif kind == "pipe":
        os.mkfifo(out)
    elif kind == "stdout":
        out.symlink_to("/dev/null")
    else:
        try:
            os.mknod(out, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("may not make a device")
    before = out.lstat()
    with pytest.raises(ConfigError, match="Is a directory" if kind == "folder" else "only files are replaced"):
        export(database, out)
    assert (out.lstat().st_mode, out.lstat().st_ino) == (before.st_mode, before.st_ino)


def test_an_output_replaces_a_file_and_says_where_it_cannot(database, tmp_path):
    (tmp_path / "a.parquet").write_text("old")
    assert export(database, tmp_path / "a.parquet")["rows"] == 3
    with pytest.raises(ConfigError, match="cannot be written"):
        export(database, tmp_path / "a.parquet/b.parquet")


@pytest.mark.parametrize("model", ["\udcff", "no\nsuch"])
def test_a_model_that_has_no_name_is_a_user_error(database, tmp_path, model):
    for use in (lambda: export(database, tmp_path / "a.parquet", model), lambda: database.quarantined(model)):
        with pytest.raises(StaleModel, match="no model"):
            use()


@pytest.mark.parametrize(
    ("clip_id", "sha256", "start_us", "end_us", "right"),
    [
        (f"{'ab' * 32}@0-5", "ab" * 32, 0, 5, True),
        (f"{'ab' * 32}@0-5#7", "ab" * 32, 0, 5, True),
        (f"{'ab' * 32}@0-5", "cd" * 32, 0, 5, False),
        (f"{'ab' * 32}@0-5", "ab" * 32, 0, 6, False),
        ("ab" * 32, "ab" * 32, 0, 0, True),
        ("ab" * 32, "cd" * 32, 0, 0, False),
        ("a_user/lesson@3-9", "cd" * 32, 3, 9, True),
        ("a_user/lesson@3-9", "cd" * 32, 3, 8, False),
        ("icon@2-3", "cd" * 32, 0, 0, True),
        ("train/7", "cd" * 32, 0, 12, True),
    ],
)
def test_the_id_of_a_clip_agrees_with_its_recording(clip_id, sha256, start_us, end_us, right):
    assert (clip_id_fault(clip_id, sha256, start_us, end_us) is None) is right
