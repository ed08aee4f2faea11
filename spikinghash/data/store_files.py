"""The files a sample store can be, told apart by their first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from spikinghash.errors import BadStore

StoreKind = Literal["parquet", "hdf5"]
STORE_FILES: dict[StoreKind, str] = {"parquet": "samples.parquet", "hdf5": "samples.h5"}
#: What they were called before samples had several modalities.
_OLD_FILES = ("frames.parquet", "frames.h5")
#: What to do about a store that another version wrote.
ANEW = "make it anew with `dvc repro ingest`"
_MAGIC: dict[StoreKind, bytes] = {"parquet": b"PAR1", "hdf5": b"\x89HDF\r\n\x1a\n"}


def find_store(place: Path) -> tuple[StoreKind, Path]:
    """Kind and path of the store that `place` is, or that lies in the folder `place`.

    The content decides, not the name. Raises `BadStore` for none, several, or a file that is neither kind.
    """
    found = [place / name for name in STORE_FILES.values() if (place / name).is_file()] if place.is_dir() else [place]
    if not found and (old := [name for name in _OLD_FILES if (place / name).is_file()]):
        raise BadStore(f"{place / old[0]} is a frame store of an older version; {ANEW}")
    if not found:
        raise BadStore(f"there is no sample store {place / STORE_FILES['parquet']}; run the stage ingest first")
    if len(found) > 1:
        raise BadStore(f"{place} holds two sample stores, {' and '.join(p.name for p in found)}; delete the wrong one")
    try:
        with found[0].open("rb") as file:
            head = file.read(8)
    except FileNotFoundError as error:
        raise BadStore(f"there is no sample store {place}; run the stage ingest first") from error
    except OSError as error:
        raise BadStore(f"cannot read sample store {place}: {error.strerror}") from error
    for kind, magic in _MAGIC.items():
        if head.startswith(magic):
            return kind, found[0]
    raise BadStore(f"cannot read sample store {found[0]}: it is neither Parquet nor HDF5; run the stage ingest again")


def remove_other(folder: Path, kind: StoreKind) -> None:
    """Remove a store of another kind, or of an older version, that `kind` has just replaced in `folder`."""
    for name in (*STORE_FILES.values(), *_OLD_FILES):
        if name != STORE_FILES[kind]:
            (folder / name).unlink(missing_ok=True)
