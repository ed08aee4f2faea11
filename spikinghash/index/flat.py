"""Exact Hamming search with FAISS `IndexBinaryFlat`, built from one version of the code database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import BadStore, ConfigError, StaleModel
from spikinghash.files import write_atomically
from spikinghash.index.clips import clips_from_bytes, clips_of, clips_to_bytes
from spikinghash.index.manifest import (
    CLIPS_FILE,
    INDEX_FILE,
    MANIFEST_FILE,
    Manifest,
    manifest_to_bytes,
    read_manifest,
    read_verified,
    sha256,
)
from spikinghash.schema import INDEX_SCHEMA_VERSION


def build_index(codes: CodeSet, out: str | Path) -> Manifest:
    """Write `index.faiss`, `clips.parquet` and `index.json` over `codes` into the folder `out`.

    An index already there is replaced, its manifest last: a crash in between leaves a folder that `load`
    refuses, never one that mixes two indexes. `ConfigError` for no codes, `Temporary` for a full disk.
    """
    index = _flat(codes)
    files = {INDEX_FILE: faiss.serialize_index_binary(index).tobytes(), CLIPS_FILE: clips_to_bytes(codes)}
    manifest = _manifest(codes, {name: sha256(content) for name, content in files.items()})
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (*files.items(), (MANIFEST_FILE, manifest_to_bytes(manifest))):
            write_atomically(folder / name, content)
    except OSError as error:
        raise BadStore(f"{folder}: cannot write the index: {error.strerror}") from error
    return manifest


def _flat(codes: CodeSet) -> faiss.IndexBinaryFlat:
    if len(codes) == 0:
        raise ConfigError("an index needs at least one code")
    index = faiss.IndexBinaryFlat(codes.bits)
    index.add(np.ascontiguousarray(codes.codes))
    return index


def _manifest(codes: CodeSet, files: dict[str, str]) -> Manifest:
    return Manifest(
        schema_version=INDEX_SCHEMA_VERSION,
        model=codes.model,
        bits=codes.bits,
        rows=len(codes),
        database_version=codes.version,
        files=files,
    )


@dataclass(frozen=True)
class HammingIndex:
    """A loaded index. `clips` (columns of `index.clips.CLIP_ROWS`) says what each of the N rows is."""

    manifest: Manifest
    clips: pa.Table
    flat: faiss.IndexBinaryFlat

    @classmethod
    def over(cls, codes: CodeSet) -> HammingIndex:
        """An index in memory, without files; `ConfigError` for no codes."""
        return cls(_manifest(codes, {}), clips_of(codes), _flat(codes))

    @classmethod
    def load(cls, folder: str | Path) -> HammingIndex:
        """The index in `folder`; `BadStore` if it is missing, damaged or of another schema version."""
        folder = Path(folder)
        manifest = read_manifest(folder)
        # FAISS parses in C++ and trusts what it reads, so it only gets bytes whose digest is right
        content = read_verified(folder, INDEX_FILE, manifest)
        clips = clips_from_bytes(read_verified(folder, CLIPS_FILE, manifest))
        try:
            flat = faiss.deserialize_index_binary(np.frombuffer(content, dtype=np.uint8))
        except RuntimeError as error:
            raise BadStore(f"{folder / INDEX_FILE}: FAISS cannot read it; build the index again") from error
        if not isinstance(flat, faiss.IndexBinaryFlat):
            raise BadStore(f"{folder / INDEX_FILE}: not a flat binary index; build the index again")
        if (flat.d, flat.ntotal, clips.num_rows) != (manifest.bits, manifest.rows, manifest.rows):
            raise BadStore(
                f"{folder}: {flat.ntotal} codes of {flat.d} bits and {clips.num_rows} clips, but {MANIFEST_FILE} says "
                f"{manifest.rows} of {manifest.bits} bits; build the index again"
            )
        return cls(manifest, clips, flat)

    def search(
        self, codes: NDArray[np.uint8], k: int, model: str | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The k nearest rows of every query: positions int64 [Q, k] and Hamming distances int32 [Q, k].

        `codes` is uint8 [Q, K/8]. Ties are ordered by row, which is by clip id, and the cut at place k obeys the
        same order. k is clipped to the number of rows. `StaleModel` if `model` or the width of the codes is not
        the index's; `ConfigError` for anything that is not such codes or k < 1.
        """
        if codes.ndim != 2 or codes.dtype != np.uint8:
            raise ConfigError(f"queries must be uint8 [Q, K/8], not {codes.dtype} {list(codes.shape)}")
        if k < 1:
            raise ConfigError(f"k is {k}; it must be at least 1")
        if model is not None and model != self.manifest.model:
            raise StaleModel(f"queries of model {model}, index of model {self.manifest.model}; build the index again")
        if codes.shape[1] * 8 != self.manifest.bits:
            raise StaleModel(
                f"queries have {codes.shape[1] * 8} bits, the index {self.manifest.bits}: codes of different models"
            )
        # The heap of FAISS keeps the smallest (distance, row) pairs, ties at the k-th place included, because rows
        # arrive in order and its comparison breaks ties by row. FAISS does not document this: test_flat_ties does.
        distances, positions = self.flat.search(np.ascontiguousarray(codes), min(k, self.manifest.rows))
        return positions, distances
