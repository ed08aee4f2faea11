"""Old versions of the code database, and getting rid of them."""

import os
import time
from pathlib import Path

import pytest
from test_database import code_rows, three_commits

from spikinghash.errors import BadStore, ConfigError


@pytest.fixture
def database(tmp_path):
    return three_commits(tmp_path)


def data_files(database):
    return sorted(Path(database.uri, "codes").rglob("*.parquet*"))


def test_a_version_is_loaded_as_it_was(database):
    assert database.load(version=1).clip_ids.tolist() == ["c"]
    assert database.load(version=2).clip_ids.tolist() == ["a", "c"]
    assert database.load(version=2).version == 2
    database.compact()
    assert database.load(version=2).clip_ids.tolist() == ["a", "c"]
    assert database.load().clip_ids.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("version", [-1, 4])
def test_a_version_that_never_was_is_named(database, version):
    with pytest.raises(ConfigError, match=f"no version {version}; the newest is 3"):
        database.load(version=version)


def test_vacuum_keeps_what_is_needed_and_removes_the_rest(database):
    before = database.load()
    database.compact()
    # a kill before the file had its name, and one between that and the commit
    left = [Path(database.uri, "codes/model=m1", f"part-0-killed-c000.zstd.parquet{end}") for end in ("", "#1")]
    for orphan in left:
        orphan.write_bytes(b"half a file of a killed run")
        long_ago = time.time() - 10 * 3600
        os.utime(orphan, (long_ago, long_ago))
    assert database.vacuum(keep_hours=48) == 0
    assert database.load(version=2).clip_ids.tolist() == ["a", "c"]
    assert database.vacuum(keep_hours=5, no_writers=True) == 2
    assert not any(orphan.exists() for orphan in left)
    assert database.load(version=2).clip_ids.tolist() == ["a", "c"]
    assert database.vacuum(keep_hours=0, no_writers=True) == 3
    assert len(data_files(database)) == 1
    assert database.load().codes.tolist() == before.codes.tolist()
    with pytest.raises(BadStore):
        database.load(version=2)
    assert database.append(code_rows(["a", "d"])).written == 1


def test_a_negative_time_is_refused(database):
    with pytest.raises(ConfigError, match="must not be negative"):
        database.vacuum(keep_hours=-1)


def test_a_draft_that_gets_its_name_while_vacuum_looks_is_no_damage(database, monkeypatch):
    draft = Path(database.uri, "codes/_delta_log/00000000000000000009.json#1")
    draft.write_text("x")
    real = Path.stat

    def renamed_meanwhile(path, **options):
        if path == draft:
            draft.unlink(missing_ok=True)
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", renamed_meanwhile)
    assert database.vacuum(keep_hours=168) == 0
