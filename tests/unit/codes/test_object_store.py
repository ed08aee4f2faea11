"""The code database on an S3-compatible store: moto's server on loopback."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from s3_store import endpoint, s3_store
from test_database import code_rows, quarantine_rows

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.fsck import fsck
from spikinghash.codes.repair import repair
from spikinghash.errors import BadStore, Temporary

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def store():
    """Storage options of a bucket, and a client for it."""
    with s3_store("archive") as (options, client):
        yield options, client


@pytest.fixture
def server(store):
    return store[0]


@pytest.fixture
def client(store):
    return store[1]


def test_everything_a_folder_can_do(server):
    database = CodeDatabase.create_or_open("s3://archive/night", server)
    assert database.append(code_rows(["b", "a"])).written == 2
    assert database.append(code_rows(["b", "c"])).written == 1
    database.quarantine(quarantine_rows())
    database.quarantine(quarantine_rows())
    assert CodeDatabase.open("s3://archive/night/", server).load().clip_ids.tolist() == ["a", "b", "c"]
    assert database.load(version=1).clip_ids.tolist() == ["a", "b"]
    assert database.quarantined().num_rows == 1
    database.compact()
    assert [read().num_rows for _, read in database.data_files(["clip_id", "model"])] == [3]
    assert database.vacuum(keep_hours=0, no_writers=True) == 2
    assert database.load().clip_ids.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("damage", ["file", "entry", "last entry", "log"])
def test_damage_is_found_and_repaired_as_in_a_folder(server, client, damage):
    """Digests, the check of the log, and repair; a log that lost its end is not known to have had one here."""
    place = f"s3://archive/damaged-{damage.replace(' ', '-')}"
    database = CodeDatabase.create_or_open(place, server)
    for clip in "abc":
        database.append(code_rows([clip]))
    keys = [o["Key"] for o in client.list_objects_v2(Bucket="archive", Prefix=place[13:] + "/codes")["Contents"]]
    parts, entries = [[k for k in keys if kind in k] for kind in ("part-", "_delta_log/")]
    if damage == "file":
        client.put_object(Bucket="archive", Key=parts[0], Body=b"PAR1 other bytes")
    elif damage == "log":
        for key in entries:
            client.delete_object(Bucket="archive", Key=key)
    else:
        key = entries[2] if damage == "entry" else entries[-1]
        client.put_object(Bucket="archive", Key=key, Body=b"")
    if damage == "file":
        assert (fsck(database).missing, fsck(database).ok) == (1, False)
    else:
        with pytest.raises(BadStore, match="fsck --repair"):
            CodeDatabase.create_or_open(place, server)
    repaired = repair(database)
    assert (len(repaired.files), repaired.adopted) == {"file": (1, 0), "log": (0, 3)}.get(damage, (0, 1))
    assert fsck(database).ok
    assert database.rows().num_rows == (2 if damage == "file" else 3)
    assert database.append(code_rows(["a", "b", "c", "d"])).written == (2 if damage == "file" else 1)


def test_writers_at_once_never_double_a_clip(server):
    # no locking table and no unsafe rename: delta-rs commits with conditional puts
    database = CodeDatabase.create_or_open("s3://archive/race", server)
    with ThreadPoolExecutor(4) as pool:
        batches = [[f"clip-{i:02}" for i in range(n, n + 5)] for n in range(8)]
        written = list(pool.map(lambda ids: database.append(code_rows(ids)).written, batches))
    assert sum(written) == 12
    assert sorted(database.rows().column("clip_id").to_pylist()) == [f"clip-{i:02}" for i in range(12)]


def test_the_settings_may_stand_in_the_environment(server, monkeypatch):
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    database = CodeDatabase.create_or_open("s3://archive/environment")
    assert database.append(code_rows(["a"])).written == 1


def test_a_missing_database_is_named(server):
    with pytest.raises(BadStore, match="no code database here"):
        CodeDatabase.open("s3://archive/nowhere", server)


def test_a_store_that_does_not_answer_is_temporary():
    with pytest.raises(Temporary, match="run the same command again"):
        CodeDatabase.open("s3://archive/night", endpoint("127.0.0.1", 9) | {"max_retries": "1", "retry_timeout": "2s"})
