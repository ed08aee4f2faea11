"""Stage `ingest`: recordings to frames, splits and a ledger."""

from __future__ import annotations

from pathlib import Path

from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.events.options import ReadOptions
from spikinghash.frames.framing import Framing
from spikinghash.ingest.pictures import ingest_pictures
from spikinghash.ingest.recordings import ingest as ingest_recordings
from spikinghash.params import Params
from spikinghash.progress import progress_bar
from stages.run_stage import FRAMES, run


def ingest(params: Params) -> None:
    """Frame the data set."""
    ingest_into(params, FRAMES)


def ingest_into(params: Params, out: Path) -> None:
    """Frame the data set of `params` into the folder `out`."""
    d, f = params.dataset, params.frames
    if d.has_pictures:
        with progress_bar("ingest") as progress:
            ingest_pictures(
                Path(d.path), d.layout, out, store=f.store, size=d.sensor, val_fraction=f.val_fraction,
                test_fraction=f.test_fraction, seed=f.seed, progress=progress,
            )  # fmt: skip
        return
    framing = Framing(**f.framing)
    with IsolatedDecoder() as decoder, progress_bar("ingest") as progress:
        ingest_recordings(
            Path(d.path), d.layout, out, framing, store=f.store, sensor=d.sensor, format=d.format,
            val_fraction=f.val_fraction, test_fraction=f.test_fraction, seed=f.seed, decode=decoder.stream,
            reading=ReadOptions(**d.reading.model_dump()), progress=progress,
        )  # fmt: skip


if __name__ == "__main__":
    run(ingest)
