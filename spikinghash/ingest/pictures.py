"""The stage `ingest` for image data sets: the same store, split lists and ledger, one sample a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from spikinghash.data.open_store import create_store
from spikinghash.data.picture import PictureFrame, picture_row
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.sample_writer import SampleWriter
from spikinghash.data.store_files import StoreKind
from spikinghash.datasets.layouts import PICTURE_FILES, find_recordings
from spikinghash.datasets.picture_file import PictureFile
from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_lists import split_lists, write_split_lists
from spikinghash.datasets.splits import assign_splits
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.source import Source, open_source
from spikinghash.files import write_json
from spikinghash.frames.coverage import Coverage
from spikinghash.frames.geometry import stated_sensor
from spikinghash.ingest.ledger import Ledger, Refusal
from spikinghash.ingest.recordings import LEDGER_FILE, IngestReport, Progress, by_file, why_nothing

#: What the ledger calls the reader of pictures.
READER = "picture"
#: What the modality of pictures is called.
IMAGE = "image"
_EVERY = 500


def ingest_pictures(
    root: Path,
    layout: str,
    out: Path,
    *,
    store: StoreKind = "parquet",
    size: tuple[int, int] | None = None,
    val_fraction: float = 0.1,
    test_fraction: float = 0.2,
    seed: int = 0,
    progress: Progress | None = None,
) -> IngestReport:
    """Make every picture below `root` an image [3, H, W] of a store in `out`, beside splits.json and ledger.json.

    With `size` (width, height) all are scaled and cropped to it; without, all must have the size that the data set
    states, else that of the first good one.
    A picture that cannot be decoded is refused with a reason in the ledger, a file of many that cannot be read with all
    that lie in it; `found` counts pictures. Ids, splits, errors and the order of writing are those of `ingest`.
    """
    file = PICTURE_FILES[layout]
    recordings = find_recordings(root, layout)
    splits = assign_splits(recordings, val_fraction=val_fraction, test_fraction=test_fraction, seed=seed)
    files = by_file(recordings)
    width, height = size or stated_sensor(recordings) or _first_size(root, files, file)
    frame = PictureFrame(width, height, resize=size is not None)
    ledger = Ledger()
    rows: list[SampleRow] = []

    def tell() -> None:
        if progress is not None:
            progress(ledger.found, len(recordings))

    with create_store(out, SampleSpec({IMAGE: frame.field()}), store) as writer:
        for some in files:
            source = _open(root, some, ledger)
            if source is not None:
                rows += _pictures(source, some, file, frame, splits, ledger, writer, tell)
            tell()
        write_json(out / LEDGER_FILE, ledger.to_json())
        if not rows:
            raise ConfigError(why_nothing(root, ledger))
        checksum = write_split_lists(out, split_lists((row.sample_id, row.split) for row in rows), seed=seed)
    return IngestReport(ledger=ledger, field=frame.field(), splits_checksum=checksum)


def _open(root: Path, recordings: list[Recording], ledger: Ledger) -> Source | None:
    try:
        return open_source(recordings[0].path, data_set=root)
    except BadRecording as error:
        ledger.refuse(Refusal.of(_name(recordings), None, error, READER, len(recordings)))
        return None


def _pictures(
    source: Source, recordings: list[Recording], file: PictureFile, frame: PictureFrame, splits: dict[str, str],
    ledger: Ledger, writer: SampleWriter, tell: Callable[[], None],
) -> list[SampleRow]:  # fmt: skip
    """Write the pictures of one file and enter each in the ledger."""
    rows: list[SampleRow] = []
    done = 0
    try:
        for recording, content in file.contents(source, recordings):
            sha256 = hashlib.sha256(content).hexdigest()
            try:
                pixels = frame.pixels(content, file)
            except BadRecording as error:
                ledger.refuse(Refusal.of(recording.recording_id, sha256, error, READER))
            else:
                row = picture_row(recording, splits[recording.recording_id], sha256)
                writer.add(row, {IMAGE: pixels})
                ledger.accept(row)
                ledger.close_file(1, _NOTHING)
                rows.append(row)
            done += 1
            if done % _EVERY == 0:
                tell()
        if done < len(recordings):
            raise BadRecording("count", f"it holds {done} pictures and said {len(recordings)}")
    except BadRecording as error:
        # the pictures before the damage are good and stay
        ledger.refuse(Refusal.of(_name(recordings), source.sha256, error, READER, len(recordings) - done))
    return rows


_NOTHING = Coverage({}, 0, {})


def _name(recordings: list[Recording]) -> str:
    """Path of the file that pictures lie in; where there are many, their ids add a number."""
    name = recordings[0].recording_id
    return name if name.endswith(recordings[0].path.name) else name.rpartition("#")[0] or name


def _first_size(root: Path, files: list[list[Recording]], file: PictureFile) -> tuple[int, int]:
    for recordings in files:
        try:
            for _, content in file.contents(open_source(recordings[0].path, data_set=root), recordings):
                try:
                    height, width = file.decode(content, None).shape[1:]
                except BadRecording:
                    continue
                return width, height
        except BadRecording:
            continue
    # none can be read: the caller meets each of them again and enters why in the ledger
    return 1, 1
