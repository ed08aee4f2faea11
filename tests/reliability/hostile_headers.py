"""Files whose headers and structures say what cannot be: every format that has one, {name: (content, reasons)}."""

import struct

from hostile import columns
from hostile_archives import patched

SENSOR = {"sensor"}
CUT = {"truncated", "unknown-format", "count"}


def writers():
    from event_writers import WRITERS

    return WRITERS


def prophesee():
    """Headers of RAW and DAT."""
    write, found = writers(), {}
    geometries = ("0x0", "0x34", "99999x99999", "4097x34", "34x4097", "999999999x1")
    for name in ("evt2", "evt21", "evt3"):
        kind = {"evt2": b"% evt 2.0\n", "evt21": b"% format EVT21\n", "evt3": b"% evt 3.0\n"}[name]
        for geometry in geometries:
            header = kind + b"% geometry " + geometry.encode() + b"\n% end\n"
            found[f"{geometry}.{name}"] = (write[name](*columns(), header=header), SENSOR)
        found[f"lines.{name}"] = (kind + b"% key value\n" * 40_000, SENSOR | {"no-events"})
        head = kind + b"% geometry 34x34\n% end\n"
        word = {"evt2": 4, "evt21": 8, "evt3": 2}[name]
        found[f"odd.{name}"] = (write[name](*columns(), header=head) + b"\1", {"truncated"})
        found[f"only-times.{name}"] = (head + b"\0" * (word - 1) + b"\x80", {"no-events"})
        found[f"words.{name}"] = (head + b"\x90" * word * 99, None)
    for case, header, reasons in (
        ("0x0", b"% Version 2\n% Width 0\n% Height 0\n", SENSOR),
        ("wide", b"% Version 2\n% Width 70000\n% Height 2\n", SENSOR),
        ("small", b"% Version 2\n% Width 2\n% Height 2\n", {"coordinate", "sensor"}),
    ):
        found[f"{case}.dat"] = (write["dat"](*columns(), header=header), reasons)
    found["type.dat"] = (write["dat"](*columns(), kind=0x0E), {"event-type"})
    backwards = [column[::-1] for column in columns()]
    found["backwards.dat"] = (write["dat"](*backwards), {"time-order", "time-wrap"})
    found["backwards.evt2"] = (write["evt2"](*backwards), {"time-order"})
    return found


def inivation():
    """AEDAT of three versions."""
    write, found = writers(), {}
    two = write["aedat2"](*columns())
    for case, chip in (("unknown", b"ch.Nobody"), ("long", b"x" * 50_000)):
        named = two.replace(b"ch.unizh.ini.jaer.chip.retina.DVS128", chip)
        found[f"chip-{case}.aedat"] = (named, {"unknown-format"})
    found["wide.aedat"] = (b"#!AER-DAT2.0\r\n" + struct.pack(">II", 0xFFFF_FFFF, 1) * 400, None)
    found["clock.aedat"] = (two + struct.pack(">IIII", 0, 0xFFFF_FFFF, 0, 1), {"time-wrap", "time-span", "sensor"})
    three = write["aedat3"](*columns())
    start = three.index(b"#!END-HEADER\r\n") + 14
    for case, at, value in (
        ("type", 0, b"\xff\xff"), ("size", 4, b"\0\0\0\0"), ("overflow", 12, b"\xff" * 4),
        ("capacity", 16, b"\0\0\0\0"), ("number", 20, b"\xff\xff\xff\x7f"),
    ):  # fmt: skip
        found[f"packet-{case}.aedat3"] = (patched(three, start + at, value), None)
    found["endless.aedat3"] = (three.replace(b"#!END-HEADER", b"#!NO-HEADER!"), {"truncated", "unknown-format"})
    four = write["aedat4"](*columns())
    header = len(b"#!AER-DAT4.0\r\n")
    for case, at, value in (
        ("header-size", 0, b"\xff\xff\xff\x7f"), ("header-zero", 0, b"\0\0\0\0"), ("root", 4, b"\xff\xff\xff\xff"),
    ):  # fmt: skip
        found[f"{case}.aedat4"] = (patched(four, header + at, value), None)
    first = header + 4 + struct.unpack_from("<I", four, header)[0]
    for case, value in (("negative", -1), ("huge", 2**31 - 1), ("zero", 0)):
        found[f"packet-{case}.aedat4"] = (patched(four, first + 4, struct.pack("<i", value)), None)
    return found


def streams():
    """Event Stream."""
    good = writers()["es"](*columns())
    return {
        "version.es": (patched(good, 12, b"\7"), {"unknown-format"}),
        "generic.es": (patched(good, 15, b"\0"), {"event-type"}),
        "colour.es": (patched(good, 15, b"\4"), {"event-type"}),
        "sensor.es": (patched(good, 16, b"\0\0\0\0"), SENSOR),
        "large.es": (patched(good, 16, b"\xff\xff\xff\xff"), SENSOR),
        "resets.es": (good[:20] + b"\xff" * 2_000_000, {"no-events"}),
        "cut.es": (good[:-2], {"truncated"}),
        "header.es": (good[:19], {"truncated"}),
    }


def npy_header(text, version=1):
    body = text.encode().ljust(117) + b"\n"
    length = len(body).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + body


def arrays():
    """NumPy headers."""
    fields = ", ".join(f"('f{i}', '<i8')" for i in range(2_000))
    shapes = {
        "deep": ("(" * 300 + "1," + ")" * 300, None),
        "wide": ("(" + "1, " * 5_000 + ")", None),
        "large": ("(9223372036854775807, 4)", CUT),
        "float": ("(4.5, 4)", None),
        "text": ("('a', 4)", None),
        "bool": ("(True, 4)", None),
        "product": ("(65536, 65536, 65536, 65536)", CUT),
        "zero": ("(0, 4)", {"no-events", "count"}),
    }
    found = {
        f"shape-{case}.npy": (npy_header(f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}"), reasons)
        for case, (shape, reasons) in shapes.items()
    }
    for case, descr in (
        ("fields", f"[{fields}]"), ("object", "'|O'"), ("void", "'|V4000000000'"), ("unicode", "'<U1000000000'"),
        ("date", "'<M8[us]'"), ("nested", "[('t', [('t', '<i8')])]"), ("align", "'<i3'"), ("none", "None"),
    ):  # fmt: skip
        text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (4,), }}"
        found[f"descr-{case}.npy"] = (npy_header(text, version=2) + bytes(64), None)
    found["version.npy"] = (npy_header("{}", version=9), None)
    found["keys.npy"] = (npy_header("{'descr': '<i8'}"), None)
    found["length.npy"] = (b"\x93NUMPY\x02\0\xff\xff\xff\x7f", None)
    found["comment.npy"] = (npy_header("{'descr': '<i8', 'fortran_order': 7, 'shape': (1, 4)}") + bytes(32), None)
    return found


def tables():
    """CSV."""
    head = b"t,x,y,p\n"
    rows = {
        "nul": b"1,2,\x003,1\n" * 50, "quotes": b'"1","2","3","1"\n' * 50,
        "huge": b"99999999999999999999999,1,1,1\n" * 9,
        "exponent": b"1e308,1,1,1\n" * 9, "nan": b"nan,1,1,1\n" * 9, "inf": b"inf,1,1,1\n" * 9,
        "negative": b"-5,1,1,1\n" * 9, "empty": b",,,\n" * 9, "short": b"1,2\n" * 9,
        "ragged": b"1,2,3,1\n2,3\n", "words": b"one,two,three,on\n" * 9, "bytes": b"\xff\xfe,1,1,1\n" * 9,
        "line": b"1," + b"9" * 5_000_000 + b",1,1\n", "commas": b"," * 2_000_000 + b"\n", "blank": b"\n" * 500_000,
        "formula": b"=1+1,1,1,1\n" * 9, "date": b"2020-01-01,1,1,1\n" * 9, "half": b"1.5,1,1,1\n" * 9,
        "far": b"1,70000,1,1\n" * 9, "polarity": b"1,1,1,9\n" * 9, "day": b"1,1,1,1\n90000000000000,1,1,1\n",
    }  # fmt: skip
    found = {f"{case}.csv": (head + lines, None) for case, lines in rows.items()}
    found["names.csv"] = (b"t,x,y,p," + b",".join(b"c%d" % i for i in range(900)) + b"\n1,1,1,1\n", None)
    return found


def matlab():
    """MATLAB 5 elements."""
    good = writers()["mat"](*columns(), compressed=False)
    found = {}
    for case, at, value in (
        ("tag-size", 132, b"\xff\xff\xff\x7f"), ("tag-type", 128, b"\x63\0\0\0"), ("flags", 144, b"\xff\xff\xff\xff"),
        ("rows", 160, b"\xff\xff\xff\x7f"), ("negative", 160, b"\xff\xff\xff\xff"), ("class", 144, b"\2\0\0\0"),
        ("order", 126, b"XX"), ("name", 172, b"\xff\xff\xff\x7f"), ("half", len(good) // 2, b"\xff" * 40),
    ):  # fmt: skip
        found[f"{case}.mat"] = (patched(good, at, value), None)
    found["zlib.mat"] = (good[:128] + struct.pack("<II", 15, 40) + b"\x78\x9c" + b"\xff" * 38, None)
    found["cut.mat"] = (good[:-7], CUT)
    found["kind.mat"] = (good[:128] + struct.pack("<II", 9, 16) + bytes(16), {"unknown-format"})
    return found


def others():
    """What is no recording, though it begins like one or like an archive."""
    noise = bytes(range(256)) * 9
    heads = {
        "parquet": b"PAR1", "gif": b"GIF89a", "tiff": b"II*\0",
        "7z": b"7z\xbc\xaf\x27\x1c", "zstd": b"\x28\xb5\x2f\xfd",
        "mp4": b"\0\0\0\x18ftypmp42", "avi": b"RIFF\0\0\0\0AVI ",
        "sqlite": b"SQLite format 3\0", "bag": b"#ROSBAG V2.0\n",
        "git": b"PACK\0\0\0\2", "rar": b"Rar!\x1a\7\0", "cab": b"MSCF\0\0\0\0",
        "class": b"\xca\xfe\xba\xbe", "pk": b"PK\7\x08",
        "aedat1": b"#!AER-DAT1.0\r\n", "aedat5": b"#!AER-DAT5.0\r\n",
        "evt4": b"% evt 4.0\n", "mat6": b"MATLAB 6.0 MAT-file",
    }  # fmt: skip
    found = {f"head.{name}": (head + noise, None) for name, head in heads.items()}
    for name, text in (("json", '{"t": [1, 2], "x": [1, 2]}' * 50), ("xml", "<?xml version='1.0'?><a/>" * 50)):
        found[f"text.{name}"] = (text.encode(), {"unknown-format"})
        found[f"wide.{name}"] = (text.encode("utf-16"), None)
    return found


def all_headers():
    """Every file of this module."""
    found = prophesee() | inivation() | streams() | arrays() | tables() | matlab() | others()
    return {name: (bytes(data), reasons) for name, (data, reasons) in found.items()}
