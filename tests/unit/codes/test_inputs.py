"""Whatever is wrong with one input is a row of that input: nothing vanishes, and the others go on."""

import os
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from spikinghash.codes.discover import discover
from spikinghash.codes.inputs import open_inputs
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.schema import TRANSIENT_REASONS

NOBODY = 65534


@pytest.fixture
def landing():
    """A folder that others may enter too, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        yield root
        for folder, _, _ in os.walk(root):
            Path(folder).chmod(0o755)


@contextmanager
def as_nobody():
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def outcomes(root):
    found = {}
    for item in open_inputs(discover([root])):
        source = item.source
        found[os.path.relpath(item.path, root)] = source.reason if isinstance(source, BadRecording) else source.data
    return found


def test_a_folder_that_may_not_be_listed_is_one_refused_input(landing):
    for name in ("open/a.bin", "open/secret.bin", "closed/b.bin", "deep/er/closed/c.bin", "names/d.bin"):
        (landing / name).parent.mkdir(parents=True, exist_ok=True)
        (landing / name).write_bytes(name.encode())
    (landing / "open/secret.bin").chmod(0)
    (landing / "closed").chmod(0)
    (landing / "deep/er/closed").chmod(0)
    (landing / "names").chmod(0o444)  # its names can be listed, its files not opened
    with as_nobody():
        found = outcomes(landing)
    assert found == {
        "open/a.bin": b"open/a.bin",
        "open/secret.bin": "unreadable",
        "closed": "unreadable",
        "deep/er/closed": "unreadable",
        "names/d.bin": "unreadable",
    }
    assert "unreadable" in TRANSIENT_REASONS


def test_a_file_named_directly_in_a_closed_folder_is_refused(landing):
    (landing / "closed").mkdir()
    (landing / "closed/a.bin").write_bytes(b"x")
    (landing / "closed").chmod(0)
    with as_nobody():
        assert outcomes(landing / "closed/a.bin") == {".": "unreadable"}
    with pytest.raises(ConfigError, match="no such file"):
        discover([landing / "missing"])


def test_pipes_sockets_links_and_names_of_any_bytes_are_told(landing):
    os.mkfifo(landing / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(landing / "socket"))
    (landing / "folder").mkdir()
    (landing / "link-to-folder").symlink_to(landing / "folder")
    (landing / "link-to-nothing").symlink_to(landing / "nothing")
    (landing / os.fsdecode(b"\xff\xfe.bin")).write_bytes(b"odd")
    (landing / ".hidden").write_bytes(b"x")
    (landing / ".git").mkdir()
    (landing / ".git/a.bin").write_bytes(b"x")
    assert outcomes(landing) == {
        "pipe": "not-regular",
        "socket": "not-regular",
        "link-to-folder": "not-regular",
        "link-to-nothing": "not-regular",
        "\\xff\\xfe.bin": b"odd",
    }


def test_what_is_renamed_or_removed_after_it_was_found_costs_one_row(landing):
    names = [f"{n}.bin" for n in range(6)]
    for name in names:
        (landing / name).write_bytes(name.encode())
    items = open_inputs(discover([landing]))
    assert next(items).source.data == b"0.bin"
    (landing / "1.bin").rename(landing / "new.bin")
    (landing / "2.bin").unlink()
    (landing / "3.bin").unlink()
    (landing / "3.bin").mkdir()
    (landing / "4.bin").unlink()
    os.mkfifo(landing / "4.bin")
    rest = [item.source.reason if isinstance(item.source, BadRecording) else item.source.data for item in items]
    assert rest == ["unreadable", "unreadable", "not-regular", "not-regular", b"5.bin"]
