"""The stage `ingest`: recordings of a data set to a sample store, its split lists and its ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from spikinghash.data.described import event_field
from spikinghash.data.open_store import create_store
from spikinghash.data.sample_row import SampleRow, labels_of
from spikinghash.data.sample_spec import FieldSpec, SampleSpec
from spikinghash.data.store_files import STORE_FILES, StoreKind
from spikinghash.datasets.layouts import find_recordings
from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_lists import split_lists, write_split_lists
from spikinghash.datasets.splits import assign_splits
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.doubts import Doubts
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.reader import stream as stream_here
from spikinghash.events.source import open_source
from spikinghash.files import write_json
from spikinghash.frames.clips import Decode, EventClip, FileClips, cut_file, frame_clips
from spikinghash.frames.framing import Framing
from spikinghash.frames.geometry import Sensor, one_reading, one_sensor
from spikinghash.ingest.ledger import Ledger, Refusal

LEDGER_FILE = "ledger.json"
#: What the modality of event clips is called.
EVENTS = "events"
_LOG = logging.getLogger(__name__)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did: its ledger, what its samples are, the checksum of its split lists."""

    ledger: Ledger
    field: FieldSpec
    splits_checksum: str


def ingest(
    root: Path,
    layout: str,
    out: Path,
    framing: Framing,
    *,
    store: StoreKind = "parquet",
    sensor: Sensor | None = None,
    val_fraction: float = 0.1,
    test_fraction: float = 0.2,
    seed: int = 0,
    format: str | None = None,
    reading: ReadOptions = DEFAULTS,
    decode: Decode = stream_here,
    progress: Progress | None = None,
) -> IngestReport:
    """Frame every recording below `root` as `framing` says and write `out`: the store, splits.json, ledger.json.

    All clips have one sensor size (width, height): the given one, else what the data set states, else that of the
    first good recording. Each file is read once, however many recordings lie in it. Files that cannot be read are
    refused with a reason in the ledger and the rest goes on; `decode` reads one, by default in this process (see
    `events.isolate` for reading in a child). `progress(done, total)` counts recordings after each file.
    `reading` overrides how the layout has its files read. Times that look like another unit are warned of and counted.
    The store appears last, when everything else is written.
    Raises `ConfigError` for wrong arguments, no recordings, or none that became a clip.
    """
    if store not in STORE_FILES:
        raise ConfigError(f"unknown kind of store {store!r}; known are: {', '.join(STORE_FILES)}")
    recordings = _found(root, layout, reading)
    splits = assign_splits(recordings, val_fraction=val_fraction, test_fraction=test_fraction, seed=seed)
    size = one_sensor(root, recordings, sensor, format, decode)
    field = event_field(framing.meta(size, one_reading(recordings)))
    ledger, doubts = Ledger(), Doubts()
    rows: list[SampleRow] = []
    with create_store(out, SampleSpec({EVENTS: field}), store) as writer:
        for some in by_file(recordings):
            file = _cut_or_refuse(root, some, framing, size, format, ledger, doubts.watch(decode))
            for clip, counts in frame_clips(file, framing) if file is not None else ():
                row = _row(clip, splits[clip.recording.recording_id])
                writer.add(row, {EVENTS: counts})
                ledger.accept(row)
                rows.append(row)
            if progress is not None:
                progress(ledger.found, len(recordings))
        ledger.doubtful_times = doubts.count
        write_json(out / LEDGER_FILE, ledger.to_json())
        for line in (doubts.line(), ledger.refusal_line(out / LEDGER_FILE)):
            if line is not None:
                _LOG.warning("%s", line)
        if not rows:
            raise ConfigError(why_nothing(root, ledger))
        checksum = write_split_lists(out, split_lists((row.sample_id, row.split) for row in rows), seed=seed)
    return IngestReport(ledger=ledger, field=field, splits_checksum=checksum)


def _row(clip: EventClip, split: str) -> SampleRow:
    recording = clip.recording
    labels, accounts = labels_of(recording.label), {EVENTS: clip.account}
    return SampleRow(clip.clip_id, clip.clip_id, labels, split, recording.recording_id, clip.sha256, accounts)


def _found(root: Path, layout: str, reading: ReadOptions) -> list[Recording]:
    recordings = [replace(r, options=r.options.overridden(reading)) for r in find_recordings(root, layout)]
    if not recordings:
        raise ConfigError(f"no recordings below {root} in the layout {layout}")
    return recordings


def by_file(recordings: list[Recording]) -> list[list[Recording]]:
    """Recordings that lie in the same file together, in order of time; files in the order of the first."""
    files: dict[Path, list[Recording]] = {}
    for recording in recordings:
        files.setdefault(recording.path, []).append(recording)
    return [sorted(some, key=lambda r: (r.start_us or 0, r.end_us or 0)) for some in files.values()]


def _cut_or_refuse(
    root: Path,
    recordings: list[Recording],
    framing: Framing,
    sensor: Sensor,
    format: str | None,
    ledger: Ledger,
    decode: Decode,
) -> FileClips | None:
    """The clips of a file, or None after a refusal was entered in the ledger."""
    sha256, reader = None, format or "auto"
    try:
        source = open_source(recordings[0].path, data_set=root)
        sha256 = source.sha256
        file = cut_file(source, recordings, framing, sensor, format, decode=decode)
    except BadRecording as error:
        ledger.refuse(Refusal.of(recordings[0].file, sha256, error, reader, len(recordings)))
        return None
    for recording, why in file.refused:
        ledger.refuse(Refusal.of(recording.recording_id, sha256, why, reader))
    if not file.cuts:
        return None
    ledger.close_file(len(file.cuts), file.coverage())
    return file


def why_nothing(root: Path, ledger: Ledger) -> str:
    """What to say when no clip came out."""
    if ledger.refused and not ledger.accepted:
        first = f"{ledger.refused[0].path}: {ledger.refused[0].reason}: {ledger.refused[0].message}"
        return f"all {ledger.found} files below {root} were refused, the first {first}"
    reasons = ", ".join(f"{count} as {reason}" for reason, count in ledger.left_out.items())
    return f"no clip in {ledger.accepted} good recordings below {root}, windows were left out: {reasons}"
