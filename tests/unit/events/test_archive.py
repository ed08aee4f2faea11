"""Archives: members come out as they went in, and whatever could hurt refuses the archive by reason."""

import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest

from spikinghash.errors import BadRecording
from spikinghash.events.archive import ArchiveLimits, is_archive, members

CONTENT = {"a/1.bin": b"one" * 40, "a/2.bin": b"two" * 50, "b.bin": b""}


def make_zip(path, content, kind=zipfile.ZIP_DEFLATED, attributes=0o100644):
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in content:
            info = zipfile.ZipInfo(name)
            info.compress_type = kind
            info.external_attr = attributes << 16
            archive.writestr(info, data)
    return path


def make_tar(path, content, mode="w", **extra):
    with tarfile.open(path, mode) as archive:
        for name, data in content:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in extra.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return path


MAKERS = {
    "zip": make_zip,
    "stored": lambda path, content: make_zip(path, content, zipfile.ZIP_STORED),
    "tar": make_tar,
    "tar.gz": lambda path, content: make_tar(path, content, "w:gz"),
    "tar.bz2": lambda path, content: make_tar(path, content, "w:bz2"),
    "tar.xz": lambda path, content: make_tar(path, content, "w:xz"),
}


def refused(path, limits=None):
    with pytest.raises(BadRecording) as caught:
        list(members(path, limits or ArchiveLimits()))
    return caught.value.reason


@pytest.mark.parametrize("kind", MAKERS)
def test_members_come_out_as_they_went_in(kind, tmp_path):
    path = MAKERS[kind](tmp_path / "night.bin", CONTENT.items())
    assert is_archive(path)
    out = {str(m.path).removeprefix(f"{path}!"): m.data for m in members(path)}
    assert out == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["night.bin"]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "name", ["../out.bin", "/etc/out.bin", "a/../../out.bin", "C:\\out.bin", "..\\out.bin", "a\nb.bin", "\\\\host\\out"]
)
def test_names_that_leave_or_hide_refuse_the_archive(kind, name, tmp_path):
    path = MAKERS[kind](tmp_path / "night", [("good.bin", b"x"), (name, b"x")])
    assert refused(path) == "archive-name"


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_refuses_the_archive(kind, tmp_path):
    assert refused(MAKERS[kind](tmp_path / "night", [("a.bin", b"x"), ("./a.bin", b"y")])) == "archive-name"


@pytest.mark.parametrize("type_", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(type_, tmp_path):
    path = make_tar(tmp_path / "night", [("a.bin", b"")], type=type_, linkname="/etc/passwd")
    assert refused(path) == "archive-link"


def test_a_symbolic_link_in_a_zip(tmp_path):
    assert refused(make_zip(tmp_path / "night", [("a.bin", b"/etc/passwd")], attributes=0o120777)) == "archive-link"


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_too_many_members(kind, tmp_path):
    path = MAKERS[kind](tmp_path / "night", [(f"{i}.bin", b"") for i in range(20)])
    assert refused(path, ArchiveLimits(members=19)) == "archive-count"
    assert len(list(members(path, ArchiveLimits(members=20)))) == 20


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_bomb_is_refused_before_it_is_unpacked(kind, tmp_path):
    path = MAKERS[kind](tmp_path / "night", [("bomb.bin", bytes(40 << 20))])
    assert path.stat().st_size < 1 << 20
    assert refused(path) == "expansion"


@pytest.mark.parametrize("kind", MAKERS)
def test_damage_anywhere_is_a_refusal_and_nothing_else(kind, tmp_path):
    rng = np.random.default_rng(0)
    content = [(f"{i}.bin", rng.bytes(300)) for i in range(5)]
    whole = MAKERS[kind](tmp_path / "whole", content).read_bytes()
    path = tmp_path / "night"
    refusals = 0
    for cut in range(4, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:cut])
        try:
            found = list(members(path))
        except BadRecording as error:
            refusals += 1
            assert error.reason in {"truncated", "expansion", "archive-name", "archive-link", "unreadable"}
        else:
            assert all(m.data in dict(content).values() for m in found)
    assert refusals > 10


def test_a_compressed_file_that_is_no_archive(tmp_path):
    path = tmp_path / "clip.gz"
    path.write_bytes(gzip.compress(b"not a tar" * 100))
    assert refused(path) == "truncated"


def test_an_npz_recording_is_no_archive(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez(path, t=np.arange(3), x=np.arange(3))
    assert not is_archive(path)
    (tmp_path / "plain.bin").write_bytes(b"events")
    assert not is_archive(tmp_path / "plain.bin")


def test_the_headers_of_a_tar_are_not_kept():
    """Of each member only its name is: an archive may have very many."""
    import tracemalloc

    from spikinghash.events.archive_index import open_index
    from spikinghash.events.archive_kind import HEAD_BYTES

    peaks = []
    for count in (200, 3_200):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for number in range(count):
                member = tarfile.TarInfo(f"{number:07}.bin")
                member.size = 5
                archive.addfile(member, io.BytesIO(b"12345"))
        size, seen = len(packed.getvalue()), []
        # threads that another test left may allocate meanwhile
        for _ in range(3):
            packed.seek(0)
            tracemalloc.start()
            found = open_index(packed, packed.read(HEAD_BYTES), size, "a.tar", ArchiveLimits())
            assert sum(member.content.read() == b"12345" for member in found) == count
            seen.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        peaks.append(min(seen))
    assert peaks[1] - peaks[0] < 3_000 * 300
