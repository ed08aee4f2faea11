"""FAISS structures that look at a part of the codes only, and how much of the exact answer they find.

`ivf` compares with the codes of the nearest of many clusters, `multi-hash` (Norouzi et al. 2012, "Fast search in
Hamming space with multi-index hashing") with those that agree in part of the bits, `hnsw` walks a graph of neighbours.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadStore, ConfigError
from spikinghash.files import write_atomically
from spikinghash.index.manifest import INDEX_FILE, map_file, read_manifest, sha256
from spikinghash.index.nearest_codes import nearest_codes
from spikinghash.index.nearest_rows import NearestRows

STRUCTURES = ("ivf", "multi-hash", "hnsw")
STRUCTURE_FILE = "approximate.faiss"
ABOUT_FILE = "approximate.json"
#: Queries on which recall and time are measured, and how many neighbours each has.
_SAMPLE, _K = 200, 10
_HNSW_LINKS = 16
_HASH_BITS = 16
_IVF_PROBES = 8
#: Codes a cluster is learned from: FAISS advises at least 39.
_IVF_SAMPLE = 64


def build_approximate(codes: NDArray[np.uint8], structure: str, folder: Path) -> dict[str, Any]:
    """Write `structure` over the codes uint8 [N, K/8] of the index in `folder` beside it; what it is worth.

    Keys: `structure`, `recall` (share of the 10 nearest of 200 codes of the index, each with two bits flipped, in whose
    place it finds a code as near), `queries_per_s` of it and of the exact search. `ConfigError` for another structure
    or too few codes.
    """
    import faiss

    made = _make(faiss, structure, codes)
    made.add(codes)
    about = {"structure": structure, "codes": len(codes), "k": _K} | _worth(made, codes)
    content = bytes(faiss.serialize_index_binary(made).tobytes())
    about |= {"over": read_manifest(folder).files[INDEX_FILE], "sha256": sha256(content)}
    write_atomically(folder / STRUCTURE_FILE, content)
    write_atomically(folder / ABOUT_FILE, (json.dumps(about, indent=2, sort_keys=True) + "\n").encode())
    return about


@dataclass(frozen=True)
class Approximate:
    """A loaded structure; `about` as `build_approximate` told it."""

    structure: Any
    about: dict[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Approximate:
        """The structure beside the index in `folder`; `BadStore` if there is none, or none of this index."""
        import faiss

        try:
            about = json.loads((folder / ABOUT_FILE).read_bytes())
        except (OSError, ValueError):
            raise BadStore(
                f"{folder}: no approximate structure; build it with `spikinghash index --structure`"
            ) from None
        content = map_file(folder / STRUCTURE_FILE)
        if about.get("sha256") != sha256(content) or about.get("over") != read_manifest(folder).files[INDEX_FILE]:
            raise BadStore(f"{folder / STRUCTURE_FILE}: damaged or of another index; build it again")
        return cls(faiss.deserialize_index_binary(np.frombuffer(content, np.uint8)), about)

    def search(self, codes: NDArray[np.uint8], k: int) -> NearestRows:
        """As `HammingIndex.search`, but some of the nearest may be missing; -1 where it found fewer than k."""
        distances, rows = self.structure.search(codes, k)
        return NearestRows(rows, distances)


def _make(faiss: Any, structure: str, codes: NDArray[np.uint8]) -> Any:
    bits = codes.shape[1] * 8
    if structure == "ivf":
        clusters = max(1, min(int(np.sqrt(len(codes))), len(codes) // _IVF_SAMPLE))
        made = faiss.index_binary_factory(bits, f"BIVF{clusters}")
        made.nprobe = _IVF_PROBES
        # learned from codes of the whole table, in a fixed choice: the same codes give the same clusters
        made.train(codes[:: max(1, len(codes) // (clusters * _IVF_SAMPLE))])
        return made
    if structure == "multi-hash":
        made = faiss.IndexBinaryMultiHash(bits, max(1, bits // _HASH_BITS), min(bits, _HASH_BITS))
        made.nflip = 1
        return made
    if structure == "hnsw":
        return faiss.IndexBinaryHNSW(bits, _HNSW_LINKS)
    raise ConfigError(f"no structure {structure!r}; there are: {', '.join(STRUCTURES)}")


def _worth(made: Any, codes: NDArray[np.uint8]) -> dict[str, Any]:
    """Recall by distance, so that ties do not count against it, and queries per second on one pass."""
    rng = np.random.default_rng(0)
    queries = codes[rng.integers(0, len(codes), _SAMPLE)].copy()
    for row, bit in zip(
        np.repeat(np.arange(_SAMPLE), 2), rng.integers(0, codes.shape[1] * 8, 2 * _SAMPLE), strict=True
    ):
        queries[row, bit // 8] ^= 128 >> bit % 8
    k = min(_K, len(codes))
    nearest_codes(queries, codes, k)  # kernels are loaded
    exact, exact_s = _timed(lambda: nearest_codes(queries, codes, k).distances)
    found, found_s = _timed(lambda: made.search(queries, k)[0])
    found = np.where(found < 0, np.iinfo(np.int32).max, found)  # -1 and its like: nothing found
    recall = float((np.sort(found, axis=1) <= exact[:, -1:]).mean())
    rates = {"approximate": round(_SAMPLE / found_s), "exact": round(_SAMPLE / exact_s)}
    return {"recall": recall, "queries_per_s": rates}


def _timed(job: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    result = job()
    return result, time.perf_counter() - started
