"""One commit: flushed before it is told, and nothing of it left when it fails before the log names it."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from test_database import code_rows, quarantine_rows

from spikinghash.codes import append_rows, write_parts
from spikinghash.codes.database import CodeDatabase
from spikinghash.errors import Temporary


def patch_flush(monkeypatch, flush):
    for module in (append_rows, write_parts):
        monkeypatch.setattr(module, "flush", flush)


@pytest.fixture
def database(tmp_path):
    return CodeDatabase.create_or_open(tmp_path / "db")


def test_data_is_flushed_before_the_log_names_it_and_the_log_before_the_return(database, monkeypatch):
    flushed = []

    def watch(path):
        flushed.append((Path(path), database.version()))

    patch_flush(monkeypatch, watch)
    database.append(code_rows(["a", "b"]))
    root = Path(database.uri, "codes")
    (data,) = root.rglob("part-*.parquet")
    assert flushed == [
        (data, 0),
        (data.parent, 0),
        (root, 0),
        (root / "_delta_log/00000000000000000001.json", 1),
        (root / "_delta_log", 1),
    ]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_flush_that_fails_before_the_commit_leaves_nothing(database, monkeypatch, number):
    calls = []

    def fail(path):
        calls.append(path)
        if len(calls) == number:
            raise OSError(28, os.strerror(28))

    patch_flush(monkeypatch, fail)
    with pytest.raises(Temporary):
        database.append(code_rows(["a"]))
    assert not list(Path(database.uri).rglob("*.parquet"))
    assert database.append(code_rows(["a"])).written == 1


def test_a_flush_that_fails_after_the_commit_keeps_the_rows(database, monkeypatch):
    with monkeypatch.context() as patch:
        patch_flush(patch, lambda path: (_ for _ in ()).throw(OSError(5, "I/O")) if "log" in str(path) else 0)
        with pytest.raises(Temporary):
            database.append(code_rows(["a"]))
    assert database.append(code_rows(["a"])).skipped == 1
    assert database.rows().num_rows == 1


def test_several_models_in_one_commit_get_a_file_each(database):
    rows = code_rows(["a", "b"]).drop_columns(["model"]).append_column("model", [["m1", "m/2 %"]])
    assert database.append(rows).written == 2
    assert database.version() == 1
    assert database.load("m/2 %").clip_ids.tolist() == ["b"]
    assert sum(1 for _ in Path(database.uri, "codes").rglob("part-*")) == 2
    database.quarantine(quarantine_rows())
    (file,) = Path(database.uri, "quarantine").glob("part-*")
    assert pq.read_table(file).num_rows == 1
