"""Tiny writers of every raw format, as their descriptions read: columns t, x, y, p in, content of a file out."""

import io
import itertools
import struct

import numpy as np


def by_word(pack, fields):
    return b"".join(pack(*(int(value) for value in row)) for row in zip(*fields, strict=True))


def aedat2(t, x, y, p, *, chip="DVS128", header=b""):
    lines = b"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n"
    lines += f"# AEChip: ch.unizh.ini.jaer.chip.retina.{chip}\r\n".encode() if chip else b""
    davis = chip is not None and "DAVIS" in chip

    def pack(t, x, y, p):
        address = y << 22 | x << 12 | p << 11 if davis else y << 8 | x << 1 | (1 - p)
        return struct.pack(">II", address, t)

    return lines + header + by_word(pack, (t, x, y, p))


def aedat3(t, x, y, p, *, packet=100, spare=3, camera="DVS128"):
    parts = [f"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: {camera}\r\n#!END-HEADER\r\n".encode()]
    t = np.asarray(t, dtype=np.int64)
    overflow = t >> 31
    starts = [0, *(i for i in range(1, len(t)) if i % packet == 0 or overflow[i] != overflow[i - 1]), len(t)]
    for a, b in itertools.pairwise(starts):
        rows = [(int(x[i]) << 17 | int(y[i]) << 2 | int(p[i]) << 1 | 1, int(t[i]) & (2**31 - 1)) for i in range(a, b)]
        number = b - a
        parts.append(struct.pack("<HHIIIIII", 1, 1, 8, 4, int(overflow[a]), number + spare, number, number))
        parts.extend(struct.pack("<II", *row) for row in rows)
        parts.append(bytes(8 * spare))
    return b"".join(parts)


def flat_table(name, fields, tail):
    """Size-prefixed FlatBuffer with one table of (format, value) fields; the tail follows, 4 bytes after the table."""
    vtable_bytes = 4 + 2 * len(fields)
    offsets, at = [], 4
    for code, _ in fields:
        offsets.append(at)
        at += struct.calcsize(f"<{code}")
    table = struct.pack("<i", vtable_bytes) + b"".join(struct.pack(f"<{code}", value) for code, value in fields)
    vtable = struct.pack(f"<HH{len(fields)}H", vtable_bytes, at, *offsets)
    body = struct.pack("<I4s", 8 + vtable_bytes, name) + vtable + table + tail
    return struct.pack("<I", len(body)) + body


def event_packet(t, x, y, p):
    events = by_word(lambda *row: struct.pack("<qhhB3x", *row), (t, x, y, p))
    return flat_table(b"EVTS", [("I", 4)], struct.pack("<I", len(t)) + events)


def list_packet(name, count):
    return flat_table(name, [("I", 4)], struct.pack("<I", count) + bytes(4 * count))


def compress(content, compression):
    import pyarrow as pa

    codec = {1: "lz4", 3: "zstd"}.get(compression)
    if codec is None:
        return content
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def aedat4_of(packets, *, compression=1, sizes=((0, 34, 34),), table_position=-1):
    """`packets` are (stream number, content before compression)."""
    xml = '<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">'
    for number, width, height in sizes:
        xml += (
            f'<node name="{number}" path="/x/{number}/"><node name="info"><attr key="sizeX" type="int">{width}</attr>'
        )
        xml += f'<attr key="sizeY" type="int">{height}</attr></node></node>'
    text = f"{xml}</node></dv>".encode()
    fields = [("i", compression), ("q", table_position), ("I", 4)]
    header = flat_table(b"IOHE", fields, struct.pack("<I", len(text)) + text + b"\0")
    parts = [b"#!AER-DAT4.0\r\n", header]
    for number, content in packets:
        packed = compress(content, compression)
        parts.append(struct.pack("<ii", number, len(packed)) + packed)
    return b"".join(parts)


def aedat4(t, x, y, p, *, compression=1, packet=150, sizes=((0, 34, 34),)):
    cuts = [slice(a, a + packet) for a in range(0, max(len(t), 1), packet)]
    return aedat4_of([(0, event_packet(t[c], x[c], y[c], p[c])) for c in cuts], compression=compression, sizes=sizes)


def dat(t, x, y, p, *, kind=0x0C, header=b"% Data file\n% Version 2\n% Width 34\n% Height 34\n"):
    return (
        header
        + bytes([kind, 8])
        + by_word(lambda t, x, y, p: struct.pack("<II", t, p << 28 | y << 14 | x), (t, x, y, p))
    )


def atis_dat(t, x, y, p):
    return by_word(lambda t, x, y, p: struct.pack("<II", t, p << 17 | y << 9 | x), (t, x, y, p))


def evt2(t, x, y, p, *, header=b"% evt 2.0\n% geometry 34x34\n"):
    words, high = [], -1
    for now, *rest in zip(t, x, y, p, strict=True):
        if int(now) >> 6 != high:
            high = int(now) >> 6
            words.append(0x8 << 28 | high & 0xFFFFFFF)
        a, b, on = map(int, rest)
        words.append(on << 28 | (int(now) & 0x3F) << 22 | a << 11 | b)
    return header + struct.pack(f"<{len(words)}I", *words)


def evt21(t, x, y, p, *, swapped=True, header=b"% format EVT21;height=34;width=34\n% end\n"):
    words, high = [], -1
    for now, *rest in zip(t, x, y, p, strict=True):
        if int(now) >> 6 != high:
            high = int(now) >> 6
            words.append(0x8 << 60 | (high & 0xFFFFFFF) << 32)
        a, b, on = map(int, rest)
        words.append(on << 60 | (int(now) & 0x3F) << 54 | (a & ~31) << 43 | b << 32 | 1 << (a & 31))
    if swapped:
        words = [word >> 32 | (word & 0xFFFFFFFF) << 32 for word in words]
    return header + struct.pack(f"<{len(words)}Q", *words)


def evt3(t, x, y, p, *, vectors=False, header=b"% evt 3.0\n% format EVT3\n% geometry 34x34\n% end\n"):
    words, high, low = [], -1, -1
    for now, *rest in zip(t, x, y, p, strict=True):
        a, b, on = map(int, rest)
        if int(now) >> 12 != high:
            high, low = int(now) >> 12, -1
            words.append(0x8000 | high & 0xFFF)
        if int(now) & 0xFFF != low:
            low = int(now) & 0xFFF
            words.append(0x6000 | low)
        words.append(b)
        words += [0x3000 | on << 11 | a, 0x4001] if vectors else [0x2000 | on << 11 | a]
    return header + struct.pack(f"<{len(words)}H", *words)


def es(t, x, y, p, *, kind=1, sensor=(34, 34)):
    out, before = [b"Event Stream\x02\x00\x00", struct.pack("<BHH", kind, *sensor)], 0
    most = 127 if kind == 1 else 63
    for now, *rest in zip(t, x, y, p, strict=True):
        a, b, on = map(int, rest)
        steps, rest_us = divmod(int(now) - before, most)
        while steps:
            step = 1 if kind == 1 else min(steps, 3)
            out.append(b"\xff" if kind == 1 else bytes([0xFC | step]))
            steps -= step
        out.append(struct.pack("<BHH", rest_us << 1 | on if kind == 1 else rest_us << 2 | on << 1, a, b))
        before = int(now)
    return b"".join(out)


def structured(t, x, y, p):
    rows = np.empty(len(t), dtype=[("x", "<i2"), ("y", "<i2"), ("p", "?"), ("t", "<i8")])
    for name, column in zip("txyp", (t, x, y, p), strict=True):
        rows[name] = column
    return rows


def saved(save, *args, **named):
    out = io.BytesIO()
    save(out, *args, **named)
    return out.getvalue()


def npy(t, x, y, p):
    return saved(np.save, structured(t, x, y, p))


def npz(t, x, y, p):
    return saved(np.savez_compressed, t=np.asarray(t), x=np.asarray(x), y=np.asarray(y), p=np.asarray(p))


def mat(t, x, y, p, *, compressed=True):
    from scipy.io import savemat

    columns = {"ts": np.asarray(t, dtype=np.int64), "x": np.asarray(x, dtype=np.uint16)}
    columns |= {"y": np.asarray(y, dtype=np.uint16), "pol": np.asarray(p, dtype=np.uint8)}
    return saved(savemat, {k: v.reshape(-1, 1) for k, v in columns.items()}, do_compression=compressed)


def csv(t, x, y, p, *, order="txyp", mark=","):
    columns = dict(zip("txyp", (t, x, y, p), strict=True))
    lines = [mark.join(order), *(mark.join(str(int(columns[name][i])) for name in order) for i in range(len(t)))]
    return ("\n".join(lines) + "\n").encode()


def hdf5_of(fill, *, userblock=0):
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w", userblock_size=userblock) as file:
        fill(file)
    return out.getvalue()


def hdf5(t, x, y, p):
    def fill(file):
        for name, column in zip("txyp", (t, x, y, p), strict=True):
            file.create_dataset(f"events/{name}", data=np.asarray(column), compression="gzip")

    return hdf5_of(fill)


#: Writer of each format by its name, for formats whose writer stands here.
WRITERS = {
    "aedat2": aedat2,
    "aedat3": aedat3,
    "aedat4": aedat4,
    "evt2": evt2,
    "evt21": evt21,
    "evt3": evt3,
    "es": es,
    "dat": dat,
    "atis-dat": atis_dat,
    "npy": npy,
    "npz": npz,
    "mat": mat,
    "hdf5": hdf5,
    "csv": csv,
}
