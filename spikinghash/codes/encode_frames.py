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
from spikinghash.methods.model_input import ModelInput

#: Clips in one commit.
COMMIT = 4096


def encode_frames(
    store: SampleStore,
    encoder: Encoder,
    database: CodeDatabase,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Hash all splits and return how many codes were added; those that are there already are left alone.

    Each modality of a sample has a code of its own, and another one made of all of them where the method fuses them;
    samples without a modality have none of it. Raises `StaleModel` where the store's are not made as the model's were.
    """
    spec, fuses = encoder.model.spec, encoder.model.method.fuses
    for name, one in spec.inputs.items():
        _check(store, name, one)
    alone = [(name,) for name in spec.inputs if fuses != "must"]
    together = [tuple(spec.inputs)] if fuses != "never" else []
    total, done, written = len(store.rows(None)) * len(alone + together), 0, 0
    for block in store.iter_batches(None, COMMIT, list(spec.inputs)):
        for seen in alone + together:
            samples, rows = block.whole(seen)
            found = encoder.encode_together(samples) if rows else {}
            for modality, (codes, margins) in found.items():
                clips = [_clip(row, modality, seen, len(spec.inputs) > 1) for row in rows]
                made = spec.inputs[modality].digest
                written += database.append(code_rows(clips, codes, margins, encoder.model.digest, made)).written
            done += len(rows)
            if progress is not None:
                progress(done, total)
    return written


def _check(store: SampleStore, name: str, one: ModelInput) -> None:
    field = store.spec.fields.get(name)
    made = "of no such kind" if field is None else digest_of(field)
    if made != one.digest:
        raise StaleModel(
            f"{store.path}: {name} {made[:16]} are not those the model was trained on ({one.digest[:16]}); "
            "run `dvc repro` to train again"
        )


def _clip(row: SampleRow, modality: str, seen: tuple[str, ...], several: bool) -> Clip:
    account = row.accounts.get(modality)
    start_us, end_us = (0, 0) if account is None else (account.start_us, account.end_us)
    # codes of one item are told apart by what they are of, and by what they were made of
    name = row.sample_id + (f"/{modality}" if several else "") + ("/paired" if len(seen) > 1 else "")
    return Clip(
        name, row.origin, row.sha256, start_us, end_us, row.label, row.split, None, row.labels, modality, row.group,
        "+".join(seen),
    )  # fmt: skip
