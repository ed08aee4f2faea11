"""The code database on an S3-compatible store: moto's server on loopback."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from s3_store import endpoint, s3_store
from test_code_table import code_rows, quarantine_rows

from spikinghash.codes.table import CodeDatabase
from spikinghash.errors import BadStore, Temporary

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def server():
    """Storage options of a bucket."""
    with s3_store("archive") as (options, _):
        yield options


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
