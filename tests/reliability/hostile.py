"""Files made to hurt, each with the reasons it may be refused by. Everything is generated; nothing is stored."""

import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/events"))
from event_writers import WRITERS

from spikinghash.events import nmnist
from spikinghash.events.validate import validate

#: What a cut may be called; libraries that decode whole structures can only say that theirs is damaged.
CUT = {"truncated", "unknown-format", "count"}
DAMAGED = {"decoder-crash"}


def columns(count=400, seed=0):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 300_000, size=count))
    return [t, rng.integers(0, 34, count), rng.integers(0, 34, count), rng.integers(0, 2, count)]


def good(seed=0):
    """Content of a good N-MNIST recording."""
    return nmnist.to_bytes(validate(*columns(seed=seed), sensor=(34, 34), format="good"))


def samples():
    """A good file of every format."""
    return {name: write(*columns()) for name, write in WRITERS.items()} | {"nmnist": good()}


def changed(name, change):
    """A file of a format with its columns changed."""
    t, x, y, p = (np.array(c) for c in columns())
    return WRITERS[name](*change(t, x, y, p))


def shuffled(t, x, y, p):
    return np.random.default_rng(1).permutation(t), x, y, p


def off_sensor(t, x, y, p):
    return t, x + 60, y, p


def negative(t, x, y, p):
    return t - 1_000, x, y, p


def odd_polarity(t, x, y, p):
    return t, x, y, p + 6


def long_span(t, x, y, p):
    return t * 1_000_000, x, y, p


#: Where the header of a short-headed format ends: later cuts may fall between two events and leave a whole file.
HEADERS = {"csv": 8, "es": 20, "evt2": 27, "atis-dat": 7, "nmnist": 4}


def truncations():
    """Cuts at every byte of the header (at most 40), in the middle and just before the end of every format.

    A few bytes of any file can look like one N-MNIST record of a far pixel, so `coordinate` is a fair answer too.
    """
    fair = CUT | {"empty", "no-events", "coordinate", "event-type"}
    found = {}
    for name, data in samples().items():
        cuts = set(range(1, HEADERS.get(name, 40) + 1))
        if name == "nmnist":
            cuts |= {len(data) - 1, len(data) - 3, len(data) // 2 // 5 * 5 + 3}
        elif name == "atis-dat":
            cuts |= {len(data) - 1, len(data) - 3, len(data) // 2 // 8 * 8 + 3}
        elif name not in ("csv", "es", "dat"):
            cuts |= {len(data) // 2 + 1, len(data) - 1}
        extra = DAMAGED if name in ("npy", "hdf5") else set()
        found |= {f"cut-{name}-{cut}": (data[:cut], fair | extra) for cut in sorted(cuts)}
    return found


def columns_that_lie():
    """Well-formed files with impossible events."""
    formats = ("npy", "npz", "csv", "mat", "hdf5")
    cases = {
        "shuffled": (shuffled, {"time-order"}),
        "off-sensor": (off_sensor, {"coordinate"}),
        "negative": (negative, {"time-negative", "time-order"}),
        "polarity": (odd_polarity, {"polarity"}),
        "long": (long_span, {"time-span"}),
    }
    found = {
        f"{case}-{name}": (changed(name, change), reasons)
        for name in formats
        for case, (change, reasons) in cases.items()
        if (case, name) != ("polarity", "npy")  # its polarity is a bool
    }
    for name in ("aedat2", "dat", "evt2", "es"):
        # the header of this AEDAT names a camera that is not the model's
        reasons = {"sensor"} if name == "aedat2" else {"coordinate"}
        found[f"off-sensor-{name}"] = (changed(name, off_sensor), reasons)
    return found


def arrays_that_lie():
    """NumPy files whose headers or types are not what they should be."""
    t, x, y, p = columns()

    def npz(**arrays):
        out = io.BytesIO()
        np.savez_compressed(out, **arrays)
        return out.getvalue()

    def npy(array, **options):
        out = io.BytesIO()
        np.save(out, array, **options)
        return out.getvalue()

    def header(text):
        body = text.encode().ljust(117) + b"\n"
        return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body

    return {
        "objects.npy": (npy(np.array([{"a": 1}], dtype=object), allow_pickle=True), {"pickle", "dtype"}),
        "objects.npz": (npz(t=np.array([1, "b"], dtype=object), x=x, y=y, p=p), {"pickle", "dtype"}),
        "nan.npz": (npz(t=np.full(400, np.nan), x=x, y=y, p=p), {"dtype"}),
        "fractions.npz": (npz(t=t, x=x + 0.5, y=y, p=p), {"dtype"}),
        "text.npz": (npz(t=np.array(["now"] * 400), x=x, y=y, p=p), {"dtype"}),
        "uneven.npz": (npz(t=t[:-1], x=x, y=y, p=p), {"count", "dtype", "truncated"}),
        "keys.npz": (npz(a=t, b=x), {"unknown-format", "dtype"}),
        "none.npz": (npz(t=t[:0], x=x[:0], y=y[:0], p=p[:0]), {"no-events", "empty"}),
        "huge.npy": (
            header("{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4), }"),
            CUT | {"expansion"},
        ),
        "below.npy": (header("{'descr': '<i8', 'fortran_order': False, 'shape': (-1, 4), }"), CUT | {"dtype"}),
        "code.npy": (header("__import__('os').system('touch canary')"), CUT | DAMAGED),
        "bomb.npz": (npz(t=np.zeros(1 << 25, np.int64), x=x, y=y, p=p), {"expansion", "count", "dtype", "memory"}),
    }


def foreign():
    """Things that are no recordings at all."""
    rng = np.random.default_rng(2)
    unknown = {"unknown-format", "truncated"}
    return {
        "empty.bin": (b"", {"empty"}),
        "picture.bin": (b"\x89PNG\r\n\x1a\n" + rng.bytes(500), unknown),
        "page.bin": (b"<!doctype html><html><body>hello</body></html>" * 9, unknown),
        "document.bin": (b"%PDF-1.7\n" + rng.bytes(500), unknown),
        "program.bin": (b"\x7fELF" + rng.bytes(800), unknown),
        "zeros.bin": (bytes(4_000), unknown),
        "noise.bin": (rng.bytes(4_003), unknown | {"time-order"}),
        "script.bin": (b"#!/bin/sh\ntouch canary\n" * 20, unknown),
        "pickle.pkl": (b"cos\nsystem\n(S'touch canary'\ntR.", unknown),
        "shuffled.bin": (nmnist_shuffled(), {"time-order", "unknown-format"}),
        "off.bin": (nmnist_off_sensor(), {"coordinate", "unknown-format"}),
    }


def nmnist_shuffled():
    records = [good()[i : i + 5] for i in range(0, len(good()), 5)]
    np.random.default_rng(0).shuffle(records)
    return b"".join(records)


def nmnist_off_sensor():
    data = bytearray(good())
    data[0::5] = bytes(200 for _ in data[0::5])
    return bytes(data)


def archives():
    """Archives that try to leave, link, overflow or hide."""
    clip = good(seed=5)

    def zipped(*members, **options):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members:
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = options.get("mode", 0o100644) << 16
                archive.writestr(info, data)
        return out.getvalue()

    def tarred(*members, mode="w", **extra):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as archive:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                for key, value in extra.items():
                    setattr(info, key, value)
                archive.addfile(info, io.BytesIO(data))
        return out.getvalue()

    found = {}
    for number, name in enumerate(("../canary", "/tmp/canary", "a/../../canary", "C:\\canary", "..\\canary", "a\tb")):
        found[f"name-{number}.zip"] = (zipped((name, clip)), {"archive-name"})
        found[f"name-{number}.tar"] = (tarred((name, clip)), {"archive-name"})
    for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
        found[f"link-{number}.tar"] = (tarred(("a", b""), type=kind, linkname="/etc/passwd"), {"archive-link"})
    found["link.zip"] = (zipped(("a", b"/etc/passwd"), mode=0o120777), {"archive-link"})
    found["bomb.zip"] = (zipped(("a", bytes(50 << 20))), {"expansion"})
    found["bomb.tgz"] = (tarred(("a", bytes(50 << 20)), mode="w:gz"), {"expansion"})
    found["cut.zip"] = (zipped(("a", clip))[:-30], {"truncated"})
    found["cut.tgz"] = (tarred(("a", clip), mode="w:gz")[:-30], {"truncated"})
    found["nested.zip"] = (zipped(("inner.zip", zipped(("a", clip)))), {"unknown-format", "expansion"})
    return found


def decoders():
    """Files that make the decoders of `hostile_worker` misbehave."""
    found = {f"crash-{number}.bin": (b"crash" * (20 + number), {"decoder-crash"}) for number in range(3)}
    found |= {f"leave-{number}.bin": (b"leave" * (20 + number), {"decoder-crash"}) for number in range(2)}
    return found | {"hang.bin": (b"hang" * 20, {"timeout"}), "eat.bin": (b"eat" * 20, {"memory"})}


def write_hostile(folder):
    """Write everything into `folder` and return {name: reasons}."""
    cases = truncations() | columns_that_lie() | arrays_that_lie() | foreign() | archives() | decoders()
    for name, (data, _) in cases.items():
        (folder / name).write_bytes(data)
    expected = {name: reasons for name, (_, reasons) in cases.items()}
    (folder / "link.bin").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.bin")
    return expected | {"link.bin": {"not-regular"}, "pipe.bin": {"not-regular"}}
