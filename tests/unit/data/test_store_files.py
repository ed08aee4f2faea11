"""What is special to a file format: bounded blocks, other programs, foreign files and those of older versions."""

import json

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample_cases import EVENTS, SPECS, sample, write

import spikinghash.data.parquet_writer as writer_module
from spikinghash.data.hdf5_columns import META_ATTRIBUTE
from spikinghash.data.parquet_columns import META_KEY
from spikinghash.data.store import SampleStore
from spikinghash.data.store_files import STORE_FILES
from spikinghash.errors import BadStore


def refused(folder):
    with pytest.raises(BadStore) as caught:
        SampleStore.open(folder).load(None, "events")
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_none_two_and_neither(tmp_path):
    assert "ingest" in refused(tmp_path)
    assert "ingest" in refused(tmp_path / "nowhere")
    for name in STORE_FILES.values():
        (tmp_path / name).write_bytes(b"hello")
    assert "two sample stores" in refused(tmp_path)
    (tmp_path / "samples.h5").unlink()
    assert "neither" in refused(tmp_path)


def test_stores_of_older_versions_are_refused_with_the_command_that_makes_them_anew(tmp_path):
    anew = "frame store of an older version; make it anew with `dvc repro ingest`"
    old = pa.schema([pa.field("clip_id", pa.string())], metadata={b"spikinghash.frames": b"{}"})
    pq.write_table(pa.table({"clip_id": ["a"]}, schema=old), tmp_path / "frames.parquet")
    assert anew in refused(tmp_path)
    (tmp_path / "frames.parquet").rename(tmp_path / "samples.parquet")
    assert anew in refused(tmp_path)
    (tmp_path / "samples.parquet").unlink()
    with h5py.File(tmp_path / "frames.h5", "w") as file:
        file.attrs["spikinghash.frames"] = "{}"
    assert anew in refused(tmp_path)
    (tmp_path / "frames.h5").rename(tmp_path / "samples.h5")
    assert anew in refused(tmp_path)
    (tmp_path / "frames.parquet").write_bytes(b"old")
    path = write(tmp_path, [sample(EVENTS, 0)], EVENTS).path
    assert list(tmp_path.iterdir()) == [path]


def test_row_groups_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_module, "GROUP_BYTES", 3 * EVENTS.sample_bytes)
    store = write(tmp_path, [sample(EVENTS, i) for i in range(8)], EVENTS)
    metadata = pq.ParquetFile(store.path).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [3, 3, 2]


def test_duckdb_and_plain_pyarrow_read_it(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    spec = SPECS["all four"]
    row, values = sample(spec, 1, labels=("a", "b"), dropped={"saturated": 2}, lacks={"caption"})
    store = write(tmp_path, [(row, values)], spec)
    asked = "sample_id, labels, octet_length(events), events_account.dropped['saturated'], caption, \"group\""
    found = duckdb.sql(f"select {asked} from '{store.path}'").fetchall()
    assert found == [(row.sample_id, ["a", "b"], values["events"].nbytes, 2, None, row.group)]
    described = json.loads(pq.read_schema(store.path).metadata[META_KEY])
    assert described["schema_version"] == 2
    assert described["fields"]["caption"] == {
        "kind": "features", "shape": [7], "dtype": "float16", "made_by": {"name": "bow", "words": 7},
    }  # fmt: skip


def test_a_flipped_bit_of_the_inputs_is_noticed_by_their_checksum(tmp_path):
    path = write(tmp_path, [sample(EVENTS, i) for i in range(4)], EVENTS).path
    good = path.read_bytes()
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    column = next(column for column in columns if column.path_in_schema == "events")
    middle = column.data_page_offset + column.total_compressed_size - 20
    path.write_bytes(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :])
    refused(tmp_path)


def changed_field(meta, **changes):
    field = meta["fields"]["events"] | changes
    return meta | {"fields": {"events": field}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta: meta | {"schema_version": 99}, "schema version 99"),
        (lambda meta: changed_field(meta, shape=[3, 2, 3, 4]), "digest"),
        (lambda meta: changed_field(meta, shape=[0, 2, 3, 4]), "events are [T, 2, H, W]"),
        (lambda meta: changed_field(meta, kind="sound"), "no kind of sample is called 'sound'"),
        (lambda meta: changed_field(meta, extra=1), "wrong keys"),
        (lambda meta: meta | {"extra": 1}, "wrong keys"),
        (lambda meta: meta | {"fields": {}}, "at least one modality"),
        (lambda meta: [1], "not a JSON object"),
        (lambda meta: None, "not written by spikinghash"),
    ],
)
def test_other_versions_and_foreign_parquet(tmp_path, change, message):
    path = write(tmp_path, [sample(EVENTS, 0)], EVENTS).path
    table = pq.read_table(path)
    changed = change(json.loads(table.schema.metadata[META_KEY]))
    metadata = {} if changed is None else {META_KEY: json.dumps(changed)}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    assert message in refused(tmp_path)


def test_other_columns(tmp_path):
    path = write(tmp_path, [sample(EVENTS, 0)], EVENTS).path
    table = pq.read_table(path).drop_columns(["sha256"])
    pq.write_table(table, path)
    assert "columns" in refused(tmp_path)


def break_chunks(file):
    counts = file["events"][()]
    del file["events"]
    file.create_dataset("events", data=counts)


def move_out(file, link):
    del file["labels"]
    file["labels"] = link


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: move_out(file, h5py.ExternalLink("other.h5", "/labels")), "link"),
        (lambda file: move_out(file, h5py.SoftLink("/split")), "link"),
        (lambda file: file.__delitem__("events"), "link"),
        (lambda file: file.__delitem__("events_account"), "link"),
        (lambda file: file.__delitem__("sha256"), "link"),
        (lambda file: file.attrs.__delitem__(META_ATTRIBUTE), "not written by spikinghash"),
        (lambda file: file.attrs.__setitem__(META_ATTRIBUTE, "[1]"), "not a JSON object"),
        (lambda file: file.attrs.__setitem__(META_ATTRIBUTE, EVENTS.to_json().replace("3", "4", 1)), "match"),
        (lambda file: file["events_present"].resize(1, axis=0), "differ in length"),
        (lambda file: move_out(file, np.zeros(3)), "no column"),
        (break_chunks, "not those of its description"),
    ],
)  # fmt: skip
def test_foreign_hdf5(tmp_path, change, message):
    path = write(tmp_path, [sample(EVENTS, i) for i in range(3)], EVENTS, "hdf5").path
    with h5py.File(path, "r+") as file:
        change(file)
    assert message in refused(tmp_path)


def test_other_programs_read_the_hdf5_file(tmp_path):
    row, values = sample(EVENTS, 1, labels=("a", "b"), dropped={"saturated": 2})
    path = write(tmp_path, [(row, values)], EVENTS, "hdf5").path
    with h5py.File(path, "r") as file:
        assert file["sample_id"][0].decode() == row.sample_id
        assert (file["events"][0] == values["events"]).all()
        assert file["events"].chunks == (1, *EVENTS.fields["events"].shape)
        assert file["events"].compression == "gzip"
        assert json.loads(file["labels"][0]) == ["a", "b"]
        assert json.loads(file["events_account"][0])["dropped"] == {"saturated": 2}
