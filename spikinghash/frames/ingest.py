"""The stage `ingest`: recordings of a data set to a frame store, its split lists and its ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikinghash.datasets.layouts import find_recordings
from spikinghash.datasets.recording import Recording
from spikinghash.datasets.splits import assign_splits
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.events import Events
from spikinghash.events.reader import decode
from spikinghash.events.source import open_source
from spikinghash.events.validate import MAX_SIDE_PX
from spikinghash.files import write_json
from spikinghash.frames.accumulate import COUNT_TYPES, Counts, CountType, accumulate
from spikinghash.frames.ledger import Ledger, Refusal
from spikinghash.frames.rows import ClipRow, FrameMeta
from spikinghash.frames.split_lists import split_lists, write_split_lists
from spikinghash.frames.writer import FrameWriter

LEDGER_FILE = "ledger.json"
Progress = Callable[[int, int], None]
Sensor = tuple[int, int]


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did: its ledger, the shape and digest of its frames, the checksum of its split lists."""

    ledger: Ledger
    meta: FrameMeta
    splits_checksum: str


def ingest(
    root: Path,
    layout: str,
    out: Path,
    *,
    steps: int,
    dtype: CountType = "uint8",
    sensor: Sensor | None = None,
    val_fraction: float = 0.1,
    test_fraction: float = 0.2,
    seed: int = 0,
    format: str | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Frame every recording below `root` into `steps` bins and write `out`: frames.parquet, splits.json, ledger.json.

    All clips have one sensor size (width, height): the given one, else what the data set states, else that of the
    first good recording. Files that cannot be read are refused with a reason in the ledger and the rest goes on;
    `progress(done, total)` is called after each. The frame store appears last, when everything else is written.
    Raises `ConfigError` for wrong arguments, no recordings, or none that could be read.
    """
    if steps < 1 or dtype not in COUNT_TYPES:
        raise ConfigError(f"cannot frame into {steps} steps of {dtype!r}; need steps >= 1 and one of {COUNT_TYPES}")
    recordings = find_recordings(root, layout)
    if not recordings:
        raise ConfigError(f"no recordings below {root} in the layout {layout}")
    splits = assign_splits(recordings, val_fraction=val_fraction, test_fraction=test_fraction, seed=seed)
    width, height = _one_sensor(recordings, sensor, format)
    # only what shapes a clip: the digest must be the same for a new archive framed the same way
    meta = FrameMeta(steps=steps, height=height, width=width, dtype=dtype, config={"binning": "recording-span"})
    ledger = Ledger()
    rows: list[ClipRow] = []
    with FrameWriter(out, meta) as writer:
        for done, recording in enumerate(recordings, start=1):
            clip = _frame_one(recording, splits[recording.recording_id], meta, format, ledger)
            if clip is not None:
                writer.add(*clip)
                ledger.accept(clip[0])
                rows.append(clip[0])
            if progress is not None:
                progress(done, len(recordings))
        write_json(out / LEDGER_FILE, ledger.to_json())
        if not rows:
            first = f"{ledger.refused[0].path}: {ledger.refused[0].reason}: {ledger.refused[0].message}"
            raise ConfigError(f"all {ledger.found} files below {root} were refused, the first {first}")
        checksum = write_split_lists(out, split_lists(rows), seed=seed)
    return IngestReport(ledger=ledger, meta=meta, splits_checksum=checksum)


def _frame_one(
    recording: Recording, split: str, meta: FrameMeta, format: str | None, ledger: Ledger
) -> tuple[ClipRow, Counts] | None:
    """The clip of a recording, or None after a refusal was entered in the ledger."""
    sha256 = None
    try:
        source = open_source(recording.path)
        sha256 = source.sha256
        events = decode(source, format=format, sensor=(meta.width, meta.height))
        return _clip(recording, split, meta, events, sha256)
    except BadRecording as error:
        ledger.refuse(Refusal.of(recording.recording_id, sha256, error, format or "auto"))
        return None


def _clip(recording: Recording, split: str, meta: FrameMeta, events: Events, sha256: str) -> tuple[ClipRow, Counts]:
    start = events.t_first_us if recording.start_us is None else recording.start_us
    end = events.t_last_us if recording.end_us is None else recording.end_us
    if (events.width, events.height) != (meta.width, meta.height):
        sizes = f"{events.width}x{events.height}, the data set's {meta.width}x{meta.height}"
        raise BadRecording("sensor", f"its sensor is {sizes}")
    if end < start:
        raise BadRecording("no-events", f"the interval {start}..{end} us is empty")
    framed = accumulate(events, meta.steps, dtype=meta.dtype, start_us=start, end_us=end)
    if framed.dropped.get("outside-window", 0) == events.count:
        raise BadRecording("no-events", f"no event lies in the interval {start}..{end} us")
    row = ClipRow(
        clip_id=f"{recording.recording_id}@{start}-{end}",
        recording_id=recording.recording_id,
        label=recording.label,
        split=split,
        start_us=start,
        end_us=end,
        events_in=framed.events_in + sum(events.dropped.values()),
        events_framed=framed.framed,
        dropped=dict(events.dropped) | framed.dropped,
        sha256=sha256,
    )
    return row, framed.counts


def _one_sensor(recordings: list[Recording], given: Sensor | None, format: str | None) -> Sensor:
    width, height = given or _stated_sensor(recordings) or _first_sensor(recordings, format)
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        raise ConfigError(f"sensor size {width}x{height} is outside 1x1 to {MAX_SIDE_PX}x{MAX_SIDE_PX}")
    return width, height


def _stated_sensor(recordings: list[Recording]) -> Sensor | None:
    stated = {recording.sensor for recording in recordings if recording.sensor is not None}
    if len(stated) > 1:
        raise ConfigError(f"the data set states sensors of different sizes, {sorted(stated)}; give one as `sensor`")
    return stated.pop() if stated else None


def _first_sensor(recordings: list[Recording], format: str | None) -> Sensor:
    for recording in recordings:
        try:
            events = decode(open_source(recording.path), format=format)
        except BadRecording:
            continue
        return events.width, events.height
    # no file can be read: the caller meets each of them again and enters why in the ledger
    return 1, 1
