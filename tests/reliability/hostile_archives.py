"""Archives whose index is made to hurt the library that reads it, each with the reasons it may be refused by."""

import bz2
import functools
import gzip
import io
import lzma
import struct
import zipfile

DAMAGED = {"truncated"}
BLOCK = 512


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def header(name=b"a.bin", size=b"00000000000", kind=b"0", magic=b"ustar\x0000"):
    """One header block of a tar with a right checksum."""
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:108] = b"0000644\0"
    block[124 : 124 + len(size)] = size
    block[136:147] = b"00000000000"
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257 : 257 + len(magic)] = magic
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def octal(number):
    return b"%011o" % number


def base256(number):
    """A number as GNU tar writes those that octal digits cannot hold."""
    return bytes([0xFF if number < 0 else 0x80]) + (number % 2**88).to_bytes(11, "big")


def block_of(data):
    return data + bytes(-len(data) % BLOCK)


def pax(*records, kind=b"x"):
    text = b""
    for key, value in records:
        body = b" " + key + b"=" + value + b"\n"
        length = len(body) + 1
        while len(b"%d" % length) + len(body) != length:
            length = len(b"%d" % length) + len(body)
        text += b"%d" % length + body
    return header(b"pax", octal(len(text)), kind) + block_of(text)


def tar_of(*parts):
    return b"".join(parts) + bytes(2 * BLOCK)


def zip_indexes(clip):
    good = zipped(("name-of-it.bin", clip))
    flagged = bytearray(good)
    local, central = good.index(b"PK\x03\x04"), good.index(b"PK\x01\x02")
    names = {}
    for case, at, flags in (("local", local + 30, local + 6), ("central", central + 46, central + 8)):
        data = bytearray(flagged)
        data[at : at + 4] = b"\xff\xfe\x80\xc3"
        data[flags + 1] |= 0x08
        names[f"utf8-{case}.zip"] = (bytes(data), {"archive-name", "truncated"})
    return names | {
        "sizes.zip": (patched(good, central + 24, b"\xff\xff\xff\x7f"), {"expansion"}),
        "zip64.zip": (patched(good, central + 20, b"\xff" * 8), {"expansion", "truncated"}),
        "offset.zip": (patched(good, central + 42, b"\xf0\xff\xff\x7f"), DAMAGED),
        "method.zip": (patched(patched(good, central + 10, b"\x63\0"), local + 8, b"\x63\0"), DAMAGED),
        "crc.zip": (patched(good, central + 16, b"\0\0\0\0"), DAMAGED),
        "directory.zip": (patched(good, len(good) - 10, b"\xff\xff\xff\x7f"), DAMAGED),
        "encrypted.zip": (patched(good, central + 8, b"\1"), {"unreadable"}),
        "version.zip": (patched(good, central + 6, b"\xff"), DAMAGED),
        "lzma.zip": (patched(zipped(("a", clip), method=zipfile.ZIP_LZMA), 40, b"\xff" * 9), DAMAGED | {"memory"}),
        "overlap.zip": (overlapping(40_000), {"expansion", "truncated"}),
        "crowd.zip": (zipped(*((f"{i}", b"") for i in range(100_001)), method=zipfile.ZIP_STORED), {"archive-count"}),
    }


def patched(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def overlapping(count):
    """Many members that share the one compressed kernel, as in David Fifield's zip bombs."""
    kernel = zipped(("k", bytes(1 << 20)))
    central = kernel.index(b"PK\x01\x02")
    end = kernel.index(b"PK\x05\x06")
    entry = kernel[central:end]
    names = [entry[:28] + b"\5\0" + entry[30:46] + b"%05d" % i for i in range(count)]
    tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, sum(map(len, names)), central, 0)
    return kernel[:central] + b"".join(names) + tail


def tar_indexes(clip):
    member = header(size=octal(len(clip))) + block_of(clip)
    long_name = header(b"././@LongLink", octal(2), b"L") + block_of(b"n\0")
    sparse = {
        "map": [(b"GNU.sparse.map", b"one,two")],
        "1.0": [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"many")],
        "size": [(b"GNU.sparse.size", b"many"), (b"GNU.sparse.map", b"0,1")],
        "offset": [(b"GNU.sparse.size", b"9"), (b"GNU.sparse.offset", b"x"), (b"GNU.sparse.numbytes", b"y")],
    }
    found = {f"sparse-{k}.tar": (tar_of(pax(*v), member), DAMAGED | {"expansion"}) for k, v in sparse.items()}
    sizes = {"2-60": octal(2**32), "base256": base256(2**60), "negative": base256(-512), "least": base256(-(2**80))}
    for case, size in sizes.items():
        # where the library reads over it, the member behind it is named again, or hashed for what it is: no refusal
        for kind in (b"0", b"L", b"x", b"g") if case != "least" else (b"0", b"L"):
            refused = {"expansion", "truncated", "archive-name"}
            found[f"size-{case}-{kind.decode()}.tar"] = (tar_of(header(size=size, kind=kind), member), refused)
    found |= {
        "long-names.tar": (tar_of(long_name * 3000, member), {"archive-count"}),
        "pax-headers.tar": (tar_of(pax((b"path", b"x")) * 3000, member), {"archive-count"}),
        "pax-length.tar": (
            tar_of(header(size=octal(20), kind=b"x") + block_of(b"99999999999 path=x\n"), member),
            {"archive-name"},
        ),
        "pax-size.tar": (tar_of(pax((b"size", b"%d" % 2**62)), member), {"expansion", "truncated"}),
        "pax-number.tar": (tar_of(pax((b"size", b"1e3"), (b"mtime", b"never")), member), {"empty"}),
        "pax-utf8.tar": (
            tar_of(pax((b"path", b"\xff\xfe/x")), header(size=octal(9)) + block_of(clip[5:14])),
            {"truncated"},
        ),
        "pax-charset.tar": (
            tar_of(pax((b"hdrcharset", b"EBCDIC"), (b"path", b"x\xff")), header(size=octal(9)) + block_of(clip[:9])),
            {"truncated"},
        ),
        "pax-sign.tar": (tar_of(pax((b"size", b"-5")), member), {"truncated", "expansion"}),
        "pax-nul.tar": (tar_of(pax((b"path", b"a\0b")), member), {"archive-name", "truncated"}),
        "digits.tar": (tar_of(header(size=b"77x7"), member), DAMAGED),
        "twice.tar": (tar_of(member, member), {"archive-name"}),
        "fields.tar": (tar_of(b"\xff" * 257 + b"ustar\x0000" + b"\xff" * 247), DAMAGED),
        "longest.tar": (
            tar_of(header(b"././@LongLink", octal(1 << 20), b"L"), b"n" * (1 << 20), member),
            {"archive-name"},
        ),
    }
    return found


def compressed(clip):
    tar = tar_of(header(size=octal(len(clip))) + block_of(clip))
    zeros = tar_of(header(size=octal(64 << 20))[:BLOCK], bytes(64 << 20))
    packed = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    found = {}
    for name, pack in packed.items():
        whole = pack(tar)
        middle = len(whole) // 2
        found[f"flip.tar.{name}"] = (patched(whole, middle, bytes([whole[middle] ^ 0xFF])), None)
        found[f"end.tar.{name}"] = (whole[:-9], DAMAGED)
        found[f"zeros.tar.{name}"] = (pack(zeros), {"expansion"})
        found[f"text.{name}"] = (pack(b"no tar, only text\n" * 99), {"unknown-format", "truncated"})
        found[f"nothing.{name}"] = (pack(b""), {"unknown-format", "truncated"})
        found[f"head.{name}"] = (whole[:11], {"unknown-format", "truncated"})
        found[f"twice.{name}"] = (pack(pack(tar)), {"unknown-format", "truncated"})
    # a dictionary of 4 GiB claimed in the header of the block
    found["dictionary.xz"] = (patched(lzma.compress(tar), 15, b"\x28"), None)
    return found


@functools.cache
def archives(clip):
    """{name: (content, reasons)}; None for any of `schema.REASONS`. `clip` is a good recording to hide behind."""
    return zip_indexes(clip) | tar_indexes(clip) | compressed(clip)
