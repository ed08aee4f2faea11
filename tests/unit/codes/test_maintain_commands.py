"""`compact`, `vacuum`, `index` and the time travel of `export`, as a person calls them."""

import json

import pyarrow.parquet as pq
import pytest
from test_database import code_rows, three_commits
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.database import CodeDatabase


@pytest.fixture
def database(tmp_path):
    return three_commits(tmp_path)


def run(*arguments):
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    return done.exit_code, json.loads(done.stdout)


def test_compact_joins_files_and_vacuum_deletes_the_old_ones(database):
    before = database.load().clip_ids.tolist()
    code, content = run("compact", "--db", database.uri, "--json")
    assert (code, content["files_before"], content["files"]) == (0, 3, 1)
    assert run("vacuum", "--db", database.uri, "--json") == (0, {"removed": 0, "keep_hours": 168.0})
    code, content = run("vacuum", "--db", database.uri, "--keep-hours", "0", "--no-writers", "--json")
    assert (code, content["removed"]) == (0, 3)
    assert database.load().clip_ids.tolist() == before
    code, content = run("vacuum", "--db", database.uri, "--keep-hours=-1", "--json")
    assert (code, content["error"]["reason"]) == (1, "ConfigError")


def test_export_of_an_old_version(database, tmp_path):
    code, content = run("export", "--db", database.uri, "--version", "2", "--out", tmp_path / "old.parquet", "--json")
    assert (code, content["rows"]) == (0, 2)
    assert pq.read_table(tmp_path / "old.parquet").column("clip_id").to_pylist() == ["a", "c"]


def test_index_says_where_and_what(tmp_path):
    model = "ab" * 32
    database = CodeDatabase.create_or_open(tmp_path / "other")
    database.append(code_rows(["a", "b", "c"], model=model))
    code, content = run("index", "--db", database.uri, "--structure", "multi-hash", "--json")
    assert (code, content["rows"], content["bits"], content["model"]) == (0, 3, 16, model)
    assert content["path"].endswith(f"/index/{model}")
    assert 0 <= content["approximate"]["recall"] <= 1
