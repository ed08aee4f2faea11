"""Exact Hamming search over one version of the code database; on disk a FAISS `IndexBinaryFlat` and its clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import BadStore, ConfigError, StaleModel
from spikinghash.files import write_atomically
from spikinghash.index.clips import Clips, clips_of, clips_to_bytes, footer
from spikinghash.index.faiss_file import flat_from_bytes, flat_to_bytes
from spikinghash.index.manifest import (
    CLIPS_FILE,
    INDEX_FILE,
    MANIFEST_FILE,
    Manifest,
    manifest_to_bytes,
    map_file,
    read_manifest,
    sha256,
    verify,
)
from spikinghash.index.nearest_codes import nearest_codes
from spikinghash.index.nearest_rows import NearestRows
from spikinghash.index.radius import Within, codes_within
from spikinghash.schema import INDEX_SCHEMA_VERSION


def build_index(codes: CodeSet, out: str | Path) -> Manifest:
    """Write `index.faiss`, `clips.parquet` and `index.json` over `codes` into the folder `out`.

    An index already there is replaced, its manifest last: a crash in between leaves a folder that `load`
    refuses, never one that mixes two indexes. `ConfigError` for no codes, `Temporary` for a full disk.
    """
    _check(codes)
    files = {INDEX_FILE: flat_to_bytes(codes.codes), CLIPS_FILE: clips_to_bytes(codes)}
    known = {INDEX_FILE: sha256(files[INDEX_FILE]), CLIPS_FILE: sha256(footer(memoryview(files[CLIPS_FILE])))}
    manifest = _manifest(codes, known)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (*files.items(), (MANIFEST_FILE, manifest_to_bytes(manifest))):
            write_atomically(folder / name, content)
    except OSError as error:
        raise BadStore(f"{folder}: cannot write the index: {error.strerror}") from error
    return manifest


def _check(codes: CodeSet) -> None:
    if len(codes) == 0:
        raise ConfigError("an index needs at least one code")


def _manifest(codes: CodeSet, files: dict[str, str]) -> Manifest:
    return Manifest(
        schema_version=INDEX_SCHEMA_VERSION,
        model=codes.model,
        bits=codes.bits,
        rows=len(codes),
        database_version=codes.version,
        files=files,
        covers=sorted(codes.files),
    )


@dataclass(frozen=True)
class HammingIndex:
    """A loaded index: codes uint8 [N, K/8] and the clips of the same N rows."""

    manifest: Manifest
    clips: Clips
    codes: NDArray[np.uint8]

    @classmethod
    def over(cls, codes: CodeSet) -> HammingIndex:
        """An index in memory, without files; `ConfigError` for no codes."""
        _check(codes)
        return cls(_manifest(codes, {}), Clips(clips_of(codes)), codes.codes)

    @classmethod
    def load(cls, folder: str | Path) -> HammingIndex:
        """The index in `folder`, mapped into memory; `BadStore` if it is missing, damaged or of another schema version.

        Damage inside `clips.parquet` is found when the clips concerned are looked up.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        content = map_file(folder / INDEX_FILE)
        verify(folder / INDEX_FILE, content, manifest)
        verify(folder / CLIPS_FILE, footer(map_file(folder / CLIPS_FILE)), manifest)
        clips = Clips.open(folder / CLIPS_FILE)
        try:
            codes = flat_from_bytes(content)
        except ValueError as error:
            raise BadStore(f"{folder / INDEX_FILE}: {error}; build the index again") from error
        if (codes.shape[1] * 8, len(codes), len(clips)) != (manifest.bits, manifest.rows, manifest.rows):
            raise BadStore(
                f"{folder}: {len(codes)} codes of {codes.shape[1] * 8} bits and {len(clips)} clips, but "
                f"{MANIFEST_FILE} says {manifest.rows} of {manifest.bits} bits; build the index again"
            )
        return cls(manifest, clips, codes)

    def search(
        self,
        codes: NDArray[np.uint8],
        k: int,
        model: str | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NearestRows:
        """The k nearest rows of every query.

        `codes` is uint8 [Q, K/8]; with `allowed` bool [N] only rows where it is True are found. Ties are ordered by
        row, which is by clip id, and the cut at place k obeys the same order. k is clipped to the number of (allowed)
        rows. `StaleModel` if `model` or the width of the codes is not the index's; `ConfigError` for anything that is
        not such codes or k < 1.
        """
        self._check_queries(codes, model)
        return nearest_codes(codes, self.codes, k, allowed)

    def within(
        self,
        codes: NDArray[np.uint8],
        radius: int,
        model: str | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Within:
        """Every row at most `radius` bits from each query, by (distance, row); arguments and errors as `search`.

        `ConfigError` for a negative radius.
        """
        self._check_queries(codes, model)
        return codes_within(codes, self.codes, radius, allowed)

    def _check_queries(self, codes: NDArray[np.uint8], model: str | None) -> None:
        if codes.ndim != 2 or codes.dtype != np.uint8:
            raise ConfigError(f"queries must be uint8 [Q, K/8], not {codes.dtype} {list(codes.shape)}")
        if model is not None and model != self.manifest.model:
            raise StaleModel(f"queries of model {model}, index of model {self.manifest.model}; build the index again")
        if codes.shape[1] * 8 != self.manifest.bits:
            raise StaleModel(
                f"queries have {codes.shape[1] * 8} bits, the index {self.manifest.bits}: codes of different models"
            )
