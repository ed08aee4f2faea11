"""Contents of data files: what was committed is what is read, or it is an error; never another code."""

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from damaged import RECORDINGS, content, cut, data, empty, flip, lose, rows_of, sound, swap
from deltalake import DeltaTable, write_deltalake

from spikinghash.codes.data_digest import digest_in, name_of
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.fsck import fsck
from spikinghash.errors import BadStore
from spikinghash.files import sha256_file


def test_a_data_file_is_named_by_its_contents_and_pages_carry_checksums(tmp_path):
    database = sound(tmp_path)
    for path in data(database) + data(database, "quarantine"):
        assert digest_in(path.name) == sha256_file(path)
    assert fsck(database).unverified == 0
    body = bytearray(data(database)[0].read_bytes())
    column = pq.ParquetFile(data(database)[0]).metadata.row_group(0).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    body[start + column.total_compressed_size - 2] ^= 1
    (tmp_path / "page.parquet").write_bytes(body)
    with pytest.raises(OSError, match=r"(?i)crc"):
        pq.read_table(tmp_path / "page.parquet", page_checksum_verification=True, columns=[column.path_in_schema])


@pytest.mark.parametrize("damage", [lose, cut, empty, swap, flip])
def test_every_use_of_a_damaged_file_is_refused_and_says_how_to_get_back(tmp_path, damage):
    sound(tmp_path)
    damage(CodeDatabase.open(tmp_path / "db"))
    database = CodeDatabase.open(tmp_path / "db")
    for use in (
        database.load,
        database.rows,
        database.compact,
        lambda: database.append(rows_of([77])),
        lambda: database.committed_recordings("ab" * 32),
    ):
        with pytest.raises(BadStore, match="spikinghash fsck --repair") as refusal:
            use()
        assert "part-" in str(refusal.value)
    accounts = fsck(database)
    assert not accounts.ok
    assert accounts.missing == (2 if damage is swap else 1)


def test_no_flipped_bit_of_a_data_file_goes_unnoticed(tmp_path):
    database = sound(tmp_path)
    path = data(database)[2]
    whole, rng = path.read_bytes(), np.random.default_rng(3)
    before = content(database)
    for bit in rng.integers(0, 8 * len(whole), 60).tolist():
        body = bytearray(whole)
        body[bit // 8] ^= 1 << bit % 8
        path.write_bytes(body)
        assert not fsck(database).ok, bit
        with pytest.raises(BadStore):
            database.load()
    path.write_bytes(whole)
    assert fsck(database).ok
    assert content(database) == before


def test_compaction_writes_digests_and_takes_none_from_a_damaged_file(tmp_path):
    database = sound(tmp_path)
    before, path = content(database), data(database)[1]
    whole = path.read_bytes()
    flip(database)
    with pytest.raises(BadStore):
        database.compact()
    path.write_bytes(whole)
    database.compact()
    assert content(database) == before
    assert database.file_count() == 1
    (file,) = (p for p in DeltaTable(f"{database.uri}/codes").file_uris())
    assert digest_in(file) == sha256_file(Path(file))


def test_compaction_removes_what_it_joined_whatever_the_model_is_called(tmp_path):
    database = CodeDatabase.create_or_open(tmp_path / "db")
    for number in range(3):
        database.append(rows_of([number], model="m/2 %"))
    before = content(database)
    database.compact()
    assert (database.file_count(), database.rows().num_rows) == (1, len(before))
    assert fsck(database).ok


def test_two_compactions_at_once_double_nothing(tmp_path):
    from deltalake.exceptions import CommitFailedError

    from spikinghash.codes import maintain

    database = sound(tmp_path)
    before = content(database)
    one, two = database.snapshot("codes"), database.snapshot("codes")
    maintain.compact(one)
    with pytest.raises(CommitFailedError):
        maintain.compact(two)
    assert database.rows().num_rows == len(before) == 2 * RECORDINGS
    assert fsck(database).ok


def test_files_of_older_versions_stay_readable_and_are_counted_as_unverified(tmp_path):
    database = sound(tmp_path)
    rows = database.rows()
    old = rows_of([60]).to_pylist()
    write_deltalake(
        f"{database.uri}/codes", rows.schema.empty_table().from_pylist(old, schema=rows.schema), mode="append"
    )
    accounts = fsck(database)
    assert (accounts.ok, accounts.unverified, accounts.committed) == (True, 1, RECORDINGS + 1)
    assert accounts.to_json()["unverified"] == 1
    database.compact()
    assert fsck(database).unverified == 0


def test_equal_contents_have_two_names():
    assert digest_in(name_of(b"a")) == digest_in(name_of(b"a"))
    assert name_of(b"a") != name_of(b"a")
    assert digest_in("part-00000-abc-c000.snappy.parquet") is None


def test_a_file_is_compared_again_after_it_changed(tmp_path):
    database = sound(tmp_path)
    database.load()
    path = data(database)[0]
    times = path.stat()
    flip(database)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    with pytest.raises(BadStore):
        database.load()
