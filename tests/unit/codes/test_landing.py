"""Recordings from a bucket: fetched once, whole or not at all, under names that stay inside the folder."""

import io
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs
from s3_store import endpoint, s3_store

from spikinghash.codes.discover import discover
from spikinghash.codes.landing import fetch_landing, landing_folder
from spikinghash.codes.object_names import local_name
from spikinghash.errors import ConfigError, Temporary
from spikinghash.remote_store import open_store

pytestmark = pytest.mark.filterwarnings("ignore")
ADDRESS = "s3://archive/night"


@pytest.fixture(scope="module")
def store():
    with s3_store("archive") as made:
        yield made


@pytest.fixture
def bucket(store, monkeypatch):
    """A function that puts objects below night/; the bucket is empty before each test."""
    settings, client = store
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for item in client.list_objects_v2(Bucket="archive").get("Contents", []):
        client.delete_object(Bucket="archive", Key=item["Key"])

    def put(prefix="night/", **objects):
        for key, data in objects.items():
            client.put_object(Bucket="archive", Key=prefix + key, Body=data)

    return put


def settled(folder):
    """As if what was fetched had been fetched long after it was written: a test has no time to wait."""
    listed = fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"], region="us-east-1").get_file_info(
        fs.FileSelector("archive/night", recursive=True)
    )
    for info in listed:
        path = folder / info.path.removeprefix("archive/night/")
        if path.is_file():
            os.utime(path, ns=(info.mtime_ns, info.mtime_ns))


def counts(landed):
    assert landed.found == landed.fetched + landed.kept + len(landed.refused) + len(landed.changed)
    return landed.fetched, landed.kept


def test_only_what_is_new_or_changed_is_fetched(bucket, tmp_path):
    big = os.urandom(9 << 20)
    bucket(**{"a.bin": b"one", "deep/er/b.bin": big, "é & c%41+.bin": b"three"})
    bucket(prefix="nightly/", **{"other.bin": b"of a neighbour"})
    assert counts(fetch_landing(ADDRESS, tmp_path)) == (3, 0)
    assert [p.relative_to(tmp_path).as_posix() for p in discover([tmp_path])] == [
        "a.bin", "deep/er/b.bin", "é & c%41+.bin"
    ]  # fmt: skip
    assert (tmp_path / "deep/er/b.bin").read_bytes() == big
    settled(tmp_path)
    before = (tmp_path / "a.bin").stat()
    assert counts(fetch_landing(ADDRESS + "/", tmp_path)) == (0, 3)
    time.sleep(1.1)  # the store's times are whole seconds
    bucket(**{"a.bin": b"two", "late.bin": b"x"})
    assert counts(fetch_landing(ADDRESS, tmp_path)) == (2, 2)
    assert (tmp_path / "a.bin").read_bytes() == b"two"
    assert (tmp_path / "a.bin").stat().st_ino != before.st_ino  # replaced whole, not written over


def test_an_object_of_this_second_is_fetched_once_more(bucket, tmp_path):
    """Replaced within the second by as many bytes, it would look the same."""
    bucket(**{"a.bin": b"one"})
    assert counts(fetch_landing(ADDRESS, tmp_path)) == (1, 0)
    bucket(**{"a.bin": b"two"})
    assert counts(fetch_landing(ADDRESS, tmp_path)) == (1, 0)
    assert (tmp_path / "a.bin").read_bytes() == b"two"
    time.sleep(3.1)
    assert counts(fetch_landing(ADDRESS, tmp_path)) == (1, 0)
    assert counts(fetch_landing(ADDRESS, tmp_path)) == (0, 1)


def test_what_is_gone_from_the_store_stays(bucket, store, tmp_path):
    bucket(**{"a.bin": b"one"})
    fetch_landing(ADDRESS, tmp_path)
    store[1].delete_object(Bucket="archive", Key="night/a.bin")
    assert fetch_landing(ADDRESS, tmp_path).found == 0
    assert (tmp_path / "a.bin").read_bytes() == b"one"


HOSTILE = {
    "../up.bin": "'..'", "a/../../up.bin": "'..'", "./here.bin": "'.'", "/etc/passwd": "absolute",
    "x\\..\\y.bin": "backslash", "tab\tname": "control", "esc\x1b[2Jname": "control", "a//b.bin": "empty part",
    ".hidden": "hidden", "deep/.hidden/a.bin": "hidden", "n" * 241: "240 bytes", "é" * 121: "240 bytes",
}  # fmt: skip


def test_names_that_would_leave_the_folder_are_refused_and_told(bucket, tmp_path):
    folder = tmp_path / "cache"
    bucket(**dict.fromkeys(HOSTILE, b"x"), **{"good.bin": b"y"})
    landed = fetch_landing(ADDRESS, folder)
    assert counts(landed) == (1, 0)
    # the escape character cannot be written in XML; what a store lists instead is another name
    told = {name: rule for name, rule in landed.refused.items() if name in HOSTILE}
    assert set(HOSTILE) - set(told) <= {"esc\x1b[2Jname"}
    assert all(HOSTILE[name] in rule for name, rule in told.items())
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")] == ["cache", "cache/good.bin"]


def test_a_name_that_is_file_and_folder_is_refused_once(bucket, tmp_path):
    bucket(**{"a": b"file", "a/b.bin": b"below"})
    landed = fetch_landing(ADDRESS, tmp_path)
    assert landed.refused == {"a/b.bin": "is a file and a folder at once"}
    assert (tmp_path / "a").read_bytes() == b"file"


@given(st.text(min_size=1, max_size=40))
def test_any_name_is_refused_or_stays_inside(name):
    try:
        path = local_name(name)
    except ValueError as rule:
        assert str(rule)
    else:
        assert path.as_posix() == name
        assert not path.is_absolute()
        assert not any(part in ("..", ".", "") or part.startswith(".") for part in path.parts)
        assert name.isprintable() or not any(ord(c) < 32 for c in name)


def test_an_empty_prefix_is_no_error_but_a_wrong_address_is(bucket, tmp_path):
    assert fetch_landing(ADDRESS, tmp_path).found == 0
    bucket(**{"a.bin": b"x"})
    for address, message in {
        "s3://nobody/night": "NO_SUCH_BUCKET", "s3://": "names no bucket", "s3://archive/night/a.bin": "is one object",
        "gopher://archive": "no address of a store", f"file://{tmp_path}/nowhere": "no such bucket or folder",
    }.items():  # fmt: skip
        with pytest.raises(ConfigError, match=message) as caught:
            fetch_landing(address, tmp_path)
        assert "\n" not in str(caught.value)


def test_a_store_without_encryption_has_to_be_allowed(bucket, tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(ConfigError, match="set AWS_ALLOW_HTTP=true"):
        fetch_landing(ADDRESS, tmp_path)


def test_a_store_that_does_not_answer_is_temporary(tmp_path, monkeypatch):
    for name, value in endpoint("127.0.0.1", 9).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Temporary, match="does not answer"):
        fetch_landing(ADDRESS, tmp_path)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from spikinghash.codes.landing import fetch_landing
from spikinghash.errors import Temporary
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
try:
    fetch_landing(sys.argv[1], Path(sys.argv[2]))
except Temporary as error:
    print(error)
"""


def test_no_room_is_temporary_and_leaves_no_half_file(bucket, tmp_path):
    bucket(**{"a.bin": b"x", "big.bin": bytes(1 << 20)})
    command = [sys.executable, "-c", LIMITED, ADDRESS, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "more than the limit on files" in done.stdout
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["a.bin"]


class Meanwhile:
    """A real store in which something happens to an object before it is opened, or between two reads of it."""

    def __init__(self, store, happens, first):
        self.store, self.happens, self.first = store, happens, first
        self.get_file_info = store.get_file_info

    @contextmanager
    def open_input_stream(self, path):
        if self.first:
            self.happens()
        with self.store.open_input_stream(path) as stream:
            start = stream.read(10)
            self.happens()
            yield io.BytesIO(start + stream.read())


@pytest.mark.parametrize("replaced", [True, False])
def test_an_object_that_changes_while_it_is_read_is_left_for_later(bucket, store, tmp_path, monkeypatch, replaced):
    """Bytes of two versions must not make one file."""
    bucket(**{"a.bin": b"first version of it"})

    def change():
        if replaced:
            bucket(**{"a.bin": b"another, longer version"})
        else:
            store[1].delete_object(Bucket="archive", Key="night/a.bin")

    def open_changing(address):
        inner, root = open_store(address)
        return Meanwhile(inner, change, not replaced), root

    monkeypatch.setattr("spikinghash.codes.landing.open_store", open_changing)
    assert fetch_landing(ADDRESS, tmp_path).changed == ["a.bin"]
    assert list(tmp_path.iterdir()) == []


def test_every_address_has_a_folder_of_its_own(tmp_path):
    assert landing_folder("s3://archive/night/", tmp_path) == tmp_path / "s3-archive-night"
    assert landing_folder("s3://../..", tmp_path).parent == tmp_path
