"""NumPy arrays, MATLAB files and CSV: the same columns in other clothes."""

import struct
import zipfile
import zlib

import numpy as np
import pytest
from event_writers import csv, hdf5, hdf5_of, mat, npy, npz, saved, structured

from spikinghash.errors import BadRecording
from spikinghash.events import csv_table
from spikinghash.events import mat as mat_reader
from spikinghash.events import npy as npy_reader
from spikinghash.events import npz as npz_reader
from spikinghash.events.options import ReadOptions

COLUMNS = (np.arange(50) * 7, np.arange(50) % 34, np.arange(50) % 30, np.arange(50) % 2)
T, X, Y, P = COLUMNS


def refusal(read, data, **options):
    with pytest.raises(BadRecording) as caught:
        read(data, ReadOptions(**options))
    return caught.value.reason


def same(events, t=T):
    for ours, given in zip((events.t, events.x, events.y, events.p), (t, X, Y, P), strict=True):
        np.testing.assert_array_equal(ours, given)


def table(dtype=np.int64, order="xypt"):
    columns = dict(zip("txyp", COLUMNS, strict=True))
    return np.stack([columns[name] for name in order], axis=1).astype(dtype)


def test_npy_layouts():
    same(npy_reader.read(npy(*COLUMNS)))
    same(npy_reader.read(saved(np.save, table())))
    same(npy_reader.read(saved(np.save, np.asfortranarray(table()))))
    same(npy_reader.read(saved(np.save, table().T)))
    same(npy_reader.read(saved(np.save, structured(*COLUMNS).astype([(n, ">i8") for n in "xypt"]))))


def test_plain_floats_are_milliseconds():
    same(npy_reader.read(saved(np.save, table(float))), t=T * 1000)
    same(npy_reader.read(saved(np.save, table(float)), ReadOptions(time_unit="us")))
    fractions = table(float)
    fractions[:, 3] /= 1000
    assert refusal(npy_reader.read, saved(np.save, fractions)) == "dtype"
    same(npy_reader.read(saved(np.save, fractions), ReadOptions(time_unit="ms")))


def test_float32_times_are_too_coarse():
    rows = table(np.float32)
    same(npy_reader.read(saved(np.save, rows), ReadOptions(time_unit="us")))
    rows[-1, 3] = 2.0**25
    assert refusal(npy_reader.read, saved(np.save, rows)) == "dtype"


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([[1, None]], dtype=object), "pickle"),
        (np.array([1.5, 2.0]), "count"),
        (np.zeros((3, 5)), "count"),
        (np.zeros((0, 4)), "no-events"),
        (table(float) + 0.25, "dtype"),
        (np.full((3, 4), np.nan), "dtype"),
        (table(complex), "dtype"),
        (np.zeros((3, 4), dtype="S3"), "dtype"),
        (np.zeros(3, dtype=[("a", "i4")]), "dtype"),
        (np.full((3, 4), 2**60, dtype=np.float64), "dtype"),
    ],
)
def test_npy_refusals(array, reason):
    assert refusal(npy_reader.read, saved(np.save, array, allow_pickle=True)) == reason


def test_npy_claims_are_not_believed():
    data = npy(*COLUMNS)
    assert refusal(npy_reader.read, data.replace(b"(50,)", b"(51,)")) == "truncated"
    assert refusal(npy_reader.read, data.replace(b"(50,), }         ", b"(9999999999,), } ")) == "truncated"
    assert refusal(npy_reader.read, data[:-1]) == "truncated"
    assert refusal(npy_reader.read, data.replace(b"descr", b"decsr")) == "decoder-crash"


def test_npz_layouts(tmp_path):
    same(npz_reader.read(npz(*COLUMNS)))
    same(npz_reader.read(saved(np.savez, structured(*COLUMNS))))
    same(npz_reader.read(saved(np.savez, events=table())))
    same(npz_reader.read(saved(np.savez, t=T.reshape(-1, 1), x=X, y=Y, pol=P * 2 - 1, note=np.zeros(3))))
    same(npz_reader.read(saved(np.savez, t=T * 1.0, x=X * 1.0, y=Y, p=P > 0)))
    same(npz_reader.read(saved(np.savez, t=T / 1e6, x=X, y=Y, p=P), ReadOptions(time_unit="s")))


def test_npz_refusals(tmp_path):
    assert refusal(npz_reader.read, npz(*COLUMNS)[:-9]) == "truncated"
    assert refusal(npz_reader.read, saved(np.savez, t=T / 2, x=X, y=Y, p=P)) == "dtype"
    assert refusal(npz_reader.read, saved(np.savez, t=T[:9], x=X, y=Y, p=P)) == "count"
    assert refusal(npz_reader.read, saved(np.savez, a=T, b=X)) == "unknown-format"
    objects = saved(np.savez, t=T.astype(object), x=X, y=Y, p=P)
    assert refusal(npz_reader.read, objects) == "pickle"
    zeros = np.zeros(4_000_000, dtype=np.int64)
    assert refusal(npz_reader.read, saved(np.savez_compressed, t=zeros, x=zeros, y=zeros, p=zeros)) == "expansion"
    with zipfile.ZipFile(tmp_path / "many", "w") as archive:
        for number in range(1001):
            archive.writestr(f"{number}.npy", b"")
    assert refusal(npz_reader.read, (tmp_path / "many").read_bytes()) == "archive-count"


def test_only_archives_of_arrays_are_npz(tmp_path):
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("folder/a.bin", b"12345")
    data = (tmp_path / "zip").read_bytes()
    assert not npz_reader.looks_like(data, len(data))
    assert npz_reader.looks_like(npz(*COLUMNS), 100)


@pytest.mark.parametrize("compressed", [True, False])
def test_mat(compressed):
    same(mat_reader.read(mat(*COLUMNS, compressed=compressed)))


def test_mat_of_other_contents():
    from scipy.io import savemat

    more = {"ts": T * 1.0, "x": X, "y": Y, "pol": P, "name": "text", "cell": np.array([1, "a"], dtype=object)}
    same(mat_reader.read(saved(savemat, more)))
    assert refusal(mat_reader.read, saved(savemat, {"a": T})) == "unknown-format"
    assert refusal(mat_reader.read, saved(savemat, more | {"ts": T + 0.5})) == "dtype"


def test_mat_damage():
    data = mat(*COLUMNS)
    assert refusal(mat_reader.read, data[:-1]) == "truncated"
    assert refusal(mat_reader.read, data[:100]) == "truncated"
    bomb = zlib.compress(bytes(50_000_000))
    assert refusal(mat_reader.read, data + struct.pack("<II", 15, len(bomb)) + bomb) == "expansion"
    assert refusal(mat_reader.read, data + struct.pack("<II", 15, 9) + b"no zlib!!") == "decoder-crash"
    half = zlib.compress(bytes(5_000))[:-6]
    assert refusal(mat_reader.read, data + struct.pack("<II", 15, len(half)) + half) == "truncated"
    assert refusal(mat_reader.read, data + struct.pack("<II", 14, 2**32 - 1)) == "truncated"


def test_mat_7_3():
    def fill(file):
        for name, column in zip(("ts", "x", "y", "pol"), COLUMNS, strict=True):
            file[name] = column.reshape(1, -1)

    data = b"MATLAB 7.3 MAT-file".ljust(512) + hdf5_of(fill, userblock=512)[512:]
    events = mat_reader.read(data)
    same(events)
    assert events.format == "mat"
    assert hdf5(*COLUMNS)


@pytest.mark.parametrize("order", ["txyp", "xypt", "ptyx"])
@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
def test_csv(order, mark):
    data = csv(*COLUMNS, order=order, mark=mark)
    assert csv_table.looks_like(data, len(data))
    same(csv_table.read(data))


def test_csv_variants():
    same(
        csv_table.read(
            csv(*COLUMNS).replace(b"\n", b"\r\n").replace(b"t,x,y,p", b"\xef\xbb\xbfTimestamp, X, Y, Polarity")
        )
    )
    same(csv_table.read(csv(*COLUMNS).rstrip()))
    more = b"t,x,y,p,note\n" + b"".join(
        b"%d,%d,%d,%d,hello\n" % row for row in zip(*(c.tolist() for c in COLUMNS), strict=True)
    )
    same(csv_table.read(more))
    seconds = b"t,x,y,p\n0.000001,1,1,1\n1.5,2,2,0\n"
    assert refusal(csv_table.read, seconds) == "dtype"
    assert csv_table.read(seconds, ReadOptions(time_unit="s")).t.tolist() == [1, 1_500_000]
    epoch = b"t,x,y,p\n1605537493718345,1,1,-1\n1605537493718347,1,1,1\n"
    assert csv_table.read(epoch).t.tolist() == [1605537493718345, 1605537493718347]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"t,x,y,p\n", "no-events"),
        (b"t,x,y,p\n1,2,3\n", "count"),
        (b"t,x,y,p\n1,2,3,1\n1,2,3,1,5\n", "count"),
        (b"t,x,y,p\n1,2,3,a\n", "dtype"),
        (b"t,x,y,p\n1,2,3,\n", "dtype"),
        (b"t,x,y,p\n1,2,3,\xff\xff\n", "dtype"),
        (b"t,x,y,p\n99999999999999999999,2,3,1\n", "dtype"),
        (b"a,b,c,d\n1,2,3,1\n", "unknown-format"),
        (b"1,2,3,1\n", "unknown-format"),
    ],
)
def test_csv_refusals(data, reason):
    assert refusal(csv_table.read, data) == reason
