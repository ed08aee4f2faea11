"""Small files that grow when they are read, and structures that lead somewhere else, {name: (content, reasons)}."""

import struct
import zlib

import numpy as np
from dense_evt3 import dense_evt3
from event_writers import aedat4_of, event_packet, hdf5_of, npz, saved
from hostile import columns
from hostile_archives import block_of, header, octal, tar_of, zipped

LARGE = {"memory", "expansion", "coordinate", "time-order", "unknown-format", "count", "timeout"}
MEGA = 1 << 20


def hdf5():
    import h5py

    def links(file):
        file["events/t"] = h5py.ExternalLink("/etc/passwd", "/t")
        for name in "xyp":
            file[f"events/{name}"] = np.zeros(9, np.int64)

    def loop(file):
        file.create_group("events")
        for name in "txyp":
            file[f"events/{name}"] = h5py.SoftLink("/events")

    def circle(file):
        for name, other in zip("txyp", "xypt", strict=True):
            file[f"events/{name}"] = h5py.SoftLink(f"/events/{other}")

    def virtual(file):
        layout = h5py.VirtualLayout((9,), np.int64)
        layout[:] = h5py.VirtualSource("/etc/passwd", "t", (9,))
        for name in "txyp":
            file.create_virtual_dataset(f"events/{name}", layout)

    def external(file):
        for name in "txyp":
            file.create_dataset(f"events/{name}", (9,), np.int64, external=[("/etc/passwd", 0, 72)])

    def objects(file):
        for name in "txyp":
            file.create_dataset(f"events/{name}", data=["now"] * 9, dtype=h5py.string_dtype())

    def bomb(file):
        for name in "txyp":
            file.create_dataset(
                f"events/{name}", (64 * MEGA,), np.int64, chunks=(MEGA,), compression="gzip", fillvalue=0
            )

    def fill(file):
        for name in "txyp":
            file.create_dataset(f"events/{name}", (2**40,), np.int64, chunks=(MEGA,), fillvalue=7)

    def chunk(file):
        for name in "txyp":
            file.create_dataset(f"events/{name}", (2**24,), np.int64, chunks=(2**24,), compression="gzip")

    def deep(file):
        group = file.create_group("events")
        for _ in range(2_000):
            group = group.create_group("t")

    def dimensions(file):
        for name in "txyp":
            file.create_dataset(f"events/{name}", data=np.zeros((2, 3, 4, 5), np.int64))

    def uneven(file):
        for i, name in enumerate("txyp"):
            file.create_dataset(f"events/{name}", data=np.arange(9 + i))

    def complexes(file):
        for name in "txyp":
            file.create_dataset(f"events/{name}", data=np.zeros(9, complex))

    def geometry(file):
        file.attrs["geometry"] = "0x0"
        for name, column in zip("txyp", columns(), strict=True):
            file[f"events/{name}"] = column

    def offset(file):
        file["t_offset"] = np.array(2**63 - 1)
        for name, column in zip("txyp", columns(), strict=True):
            file[f"events/{name}"] = column

    makers = (
        links, loop, circle, virtual, external, objects, bomb, fill, chunk, deep, dimensions, uneven, complexes,
        geometry, offset,
    )  # fmt: skip
    found = {f"{make.__name__}.h5": (hdf5_of(make), None) for make in makers}
    good = hdf5_of(uneven)
    for at in (8, 9, 13, 24, 40, 64, 96, 200, 800, 1024):
        found[f"byte-{at}.h5"] = (good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :], None)
    return found


def packets():
    """AEDAT 4 with packets that inflate, and with counts that lie."""
    import pyarrow as pa

    def packed(content, codec):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(content)
        return sink.getvalue().to_pybytes()

    def file(*raw, compression):
        head = aedat4_of([], compression=compression)
        return head + b"".join(struct.pack("<ii", 0, len(data)) + data for data in raw)

    zeros, few = bytes(300 * MEGA), [column[:9] for column in columns()]
    packet = event_packet(*few)
    found = {}
    for number, codec in ((1, "lz4"), (3, "zstd")):
        found[f"bomb-{codec}.aedat4"] = (file(packed(zeros, codec), compression=number), {"expansion", "memory"})
        found[f"many-{codec}.aedat4"] = (file(*[packed(zeros[: 4 * MEGA], codec)] * 60, compression=number), None)
        found[f"noise-{codec}.aedat4"] = (file(b"\x5a" * 400, compression=number), None)
        found[f"end-{codec}.aedat4"] = (file(packed(packet, codec)[:-6], compression=number), None)
        found[f"wrong-{codec}.aedat4"] = (file(packed(packet, codec), compression=4 - number), None)
    for at in (4, 8, 16, 20, 24):
        found[f"table-{at}.aedat4"] = (file(packet[:at] + b"\xff\xff\xff\x7f" + packet[at + 4 :], compression=0), None)
    found["compression.aedat4"] = (file(packet, compression=77), None)
    return found


def matrices():
    def element(content):
        data = zlib.compress(content, 9)
        return struct.pack("<II", 15, len(data)) + data

    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    zeros = bytes(300 * MEGA)
    claimed = struct.pack("<IIIIIIIIii", 14, 2**31, 6, 8, 12, 0, 5, 8, 2**20, 2**8)
    return {
        "bomb.mat": (head + element(zeros), {"expansion", "memory", "unknown-format"}),
        "many.mat": (head + element(zeros[: 2 * MEGA]) * 400, None),
        "claimed.mat": (head + element(claimed + bytes(999)), None),
    }


def numbers():
    """Well-formed files of very many events, or of ones that reach very far."""
    t, x, y, p = columns()
    wide = np.arange(400) * 200_000_000
    zeros = np.zeros(12 * MEGA, np.int64)
    return {
        "zeros.npz": (saved(np.savez_compressed, t=zeros, x=zeros, y=zeros, p=zeros), LARGE),
        "backwards.npz": (
            saved(np.savez_compressed, **dict.fromkeys("txyp", zeros[:MEGA] + np.arange(MEGA)[::-1])),
            None,
        ),
        "half-day.npz": (npz(wide * 2, x, y, p), {"time-span"}),
        "epoch.npz": (npz(t + 2**62, x, y, p + 5), {"polarity"}),
        "edge.npz": (npz(np.full(400, 2**63 - 1), x, y + 4096, p), {"sensor", "coordinate"}),
        "least.npz": (npz(np.full(400, -(2**63)), x, y, p), {"time-negative"}),
        "unsigned.npz": (npz(t.astype(np.uint64) + np.uint64(2**63), x, y, p), {"time-negative", "time-span", "dtype"}),
        "complex.npz": (npz(t * 1j, x, y, p), {"dtype"}),
    }


def in_archives():
    """Recordings that are small in an archive and large out of it."""
    # without a sensor of its own, which would be refused before anything is decoded
    dense, blank = dense_evt3(60).replace(b"% geometry 1280x720\n", b""), bytes(150 * MEGA)
    small = saved(np.save, np.zeros((MEGA, 4), np.int64))
    tars = {
        name: tar_of(header(size=octal(len(data))) + block_of(data))
        for name, data in (("dense", dense), ("blank", blank))
    }
    found = {f"{name}.tar.z.zip": (zipped(("inner.tar", tar)), None) for name, tar in tars.items()}
    return found | {
        "dense.zip": (zipped(("dense.raw", dense)), LARGE),
        "array.zip": (zipped(("array.bin", small)), LARGE | {"no-events", "polarity", "dtype"}),
        "record.zip": (zipped(("record.bin", b"\1\2\3\4\5" * 30 * MEGA)), LARGE),
        "lines.zip": (zipped(("lines.csv", b"t,x,y,p\n" + b"1,2,40,1\n" * 2 * MEGA)), LARGE),
        "blank.zip": (zipped(("blank.bin", blank)), LARGE),
        "words.zip": (zipped(("words.aedat", b"#!AER-DAT2.0\r\n" + b"\xff\0\1\2" * 20 * MEGA)), None),
    }


def all_growth():
    """Every file of this module."""
    return hdf5() | packets() | matrices() | numbers() | in_archives()
