"""The stage `encode`: every sample of a store into the code database."""

from __future__ import annotations

from collections.abc import Callable

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.new_rows import Clip, code_rows
from spikinghash.data.described import digest_of
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.store import SampleStore
from spikinghash.errors import StaleModel

#: Clips in one commit.
COMMIT = 4096


def encode_frames(
    store: SampleStore,
    encoder: Encoder,
    database: CodeDatabase,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Hash all splits and return how many clips were added; clips that are there already are left alone.

    Samples without the model's modality have no code. Raises `StaleModel` where the store's are not made as the model's
    were.
    """
    spec = encoder.model.spec
    field = store.spec.fields.get(spec.modality)
    made = "of no such kind" if field is None else digest_of(field)
    if made != spec.frames_digest:
        raise StaleModel(
            f"{store.path}: {spec.modality} {made[:16]} are not those the model was trained on "
            f"({spec.frames_digest[:16]}); run `dvc repro` to train again"
        )
    total, done, written = len(store.rows(None)), 0, 0
    for values, rows in store.iter_inputs(spec.modality, None, COMMIT):
        codes, margins = encoder.encode(values)
        table = code_rows([_clip(r, spec.modality) for r in rows], codes, margins, encoder.model.digest, made)
        written += database.append(table).written
        done += len(rows)
        if progress is not None:
            progress(done, total)
    return written


def _clip(row: SampleRow, modality: str) -> Clip:
    account = row.accounts.get(modality)
    start_us, end_us = (0, 0) if account is None else (account.start_us, account.end_us)
    return Clip(row.sample_id, row.origin, row.sha256, start_us, end_us, row.label, row.split)
