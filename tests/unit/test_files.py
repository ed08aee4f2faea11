"""Files are complete or absent."""

import errno
import hashlib
import json
import os
import resource
import stat

import pytest

from spikinghash.errors import Temporary
from spikinghash.files import publish, sha256_file, write_atomically, write_json


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "a" / "b.bin"
    write_atomically(path, b"one")
    write_atomically(path, b"two" * 1000)
    assert path.read_bytes() == b"two" * 1000
    assert names(path.parent) == ["b.bin"]


def test_others_may_read(tmp_path):
    write_atomically(tmp_path / "f", b"")
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o644


def test_readers_see_old_or_new_never_half(tmp_path):
    path = tmp_path / "f"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new" * 100_000)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new" * 100_000


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"kept"
    assert not (tmp_path / "link").is_symlink()


def test_nothing_is_left_when_the_target_is_a_folder(tmp_path):
    (tmp_path / "f" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="f"):
        write_atomically(tmp_path / "f", b"data")
    assert names(tmp_path) == ["f"]


def test_nothing_is_left_when_writing_breaks_off(tmp_path):
    """A limit of the operating system on file sizes stops the writing half way."""
    path = tmp_path / "f"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_atomically(path, b"x" * (1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_temporary_and_leaves_the_old_file(tmp_path, monkeypatch, code):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Temporary, match=r"f: disk full; free space and run again") as caught:
        write_atomically(path, b"data")
    assert caught.value.exit_code == 75
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_a_parent_that_is_a_file(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(OSError, match="f"):
        write_atomically(tmp_path / "f" / "g", b"data")
    assert names(tmp_path) == ["f"]


def test_sha256_reads_in_pieces(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "f").write_bytes(data)
    assert sha256_file(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_publish_takes_whatever_the_body_writes(tmp_path):
    path = tmp_path / "new" / "f.csv"
    with publish(path) as draft:
        assert not path.exists()
        with draft.open("w") as out:
            out.write("a")
            out.write("b")
        assert draft.parent == path.parent  # a rename must not cross file systems
    assert path.read_text() == "ab"
    assert names(path.parent) == ["f.csv"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError])
def test_publish_leaves_nothing_when_the_body_fails(tmp_path, error):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail():
        with publish(path) as draft:
            draft.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_publish_survives_a_body_that_removes_its_draft(tmp_path):
    with pytest.raises(FileNotFoundError), publish(tmp_path / "f") as draft:
        draft.unlink()
    assert names(tmp_path) == []


def test_json_is_stable(tmp_path):
    write_json(tmp_path / "a", {"b": [1, 2.5, None], "a": "ä"})
    write_json(tmp_path / "b", {"a": "ä", "b": [1, 2.5, None]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_text()) == {"a": "ä", "b": [1, 2.5, None]}
    assert (tmp_path / "a").read_bytes().endswith(b"\n")
