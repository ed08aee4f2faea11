"""Draw a protocol of picture hashing: `python examples/draw_protocol.py PROTOCOL SOURCE OUT [SEED]`.

SOURCE is a Parquet file with columns `image`, `class_name` and `split`, OUT the same pictures with the protocol's
splits, for `dataset.layout: image_parquet`: queries as `test`, training pictures as `train`, all others as `database`.
"""

from __future__ import annotations

import sys

import pyarrow as pa
import pyarrow.parquet as pq

from spikinghash.pairs.pair import Pair
from spikinghash.pairs.protocols import draw_protocol


def draw(protocol: str, source: str, out: str, seed: int = 0) -> None:
    """Write OUT and say how many pictures each split has."""
    table = pq.read_table(source, columns=["image", "class_name", "split"])
    stated = zip(table["split"].to_pylist(), table["class_name"].to_pylist(), strict=True)
    pairs = (Pair(f"{row:08d}", f"{row:08d}", split, (label,)) for row, (split, label) in enumerate(stated))
    splits: list[str | None] = [None] * len(table)
    for split, ids in draw_protocol(protocol, pairs, seed).items():
        for one in ids:
            splits[int(one)] = split
        print(f"{split}: {len(ids)}")
    place = table.column_names.index("split")
    pq.write_table(table.set_column(place, "split", pa.array(splits, pa.string())), out)


if __name__ == "__main__":
    draw(*sys.argv[1:4], *map(int, sys.argv[4:]))
