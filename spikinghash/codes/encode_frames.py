"""The stage `encode`: every clip of a frame store into the code database."""

from __future__ import annotations

from collections.abc import Callable

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.new_rows import Clip, code_rows
from spikinghash.errors import StaleModel
from spikinghash.frames.schema import ClipRow
from spikinghash.frames.store import FrameStore

#: Clips in one commit.
COMMIT = 4096


def encode_frames(
    store: FrameStore,
    encoder: Encoder,
    database: CodeDatabase,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Hash all splits and return how many clips were added; clips that are there already are left alone.

    Raises `StaleModel` where the frames are not made as the model's were.
    """
    spec = encoder.model.spec
    if store.meta.digest != spec.frames_digest:
        raise StaleModel(
            f"{store.path}: frames {store.meta.digest[:16]} are not those the model was trained on "
            f"({spec.frames_digest[:16]}); run `dvc repro` to train again"
        )
    total, done, written = len(store.rows(None)), 0, 0
    for counts, rows in store.iter_batches(None, COMMIT):
        codes, margins = encoder.encode(counts)
        table = code_rows([_clip(r) for r in rows], codes, margins, encoder.model.digest, store.meta.digest)
        written += database.append(table).written
        done += len(rows)
        if progress is not None:
            progress(done, total)
    return written


def _clip(row: ClipRow) -> Clip:
    return Clip(row.clip_id, row.recording_id, row.sha256, row.start_us, row.end_us, row.label, row.split)
