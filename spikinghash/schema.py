"""Names, shapes and versions shared by every part.

Axis legend: T time steps, B batch, P polarity (0 = OFF, 1 = ON; R, G, B of pictures), C channels, H height, W width,
K bits, N database clips, Q queries. Time comes first: [T, B, C, H, W]. Times are int64 microseconds.
"""

from __future__ import annotations

FRAME_SCHEMA_VERSION = 1
STORE_SCHEMA_VERSION = 2
PAIR_SCHEMA_VERSION = 1
CODE_SCHEMA_VERSION = 2
MODEL_SCHEMA_VERSION = 3
INDEX_SCHEMA_VERSION = 5

#: Channels of a frame, OFF and ON events, and of a picture, red, green and blue.
POLARITIES, PIXEL_CHANNELS = 2, 3

#: What a sample can be used for: to train on and be found, to validate, to ask with, to be found and no more.
SPLITS = ("train", "val", "test", "database")

#: Why a recording can be refused. One of these stands in every quarantine row.
REASONS = frozenset(
    {
        "empty",
        "truncated",
        "unknown-format",
        "count",
        "expansion",
        "time-negative",
        "time-order",
        "time-wrap",
        "time-span",
        "coordinate",
        "polarity",
        "sensor",
        "event-type",
        "dtype",
        "pickle",
        "link",
        "chunk",
        "archive-name",
        "archive-link",
        "archive-count",
        "not-regular",
        "changed",
        "decoder-crash",
        "worker-crash",
        "timeout",
        "memory",
        "unreadable",
        "no-events",
        "label",
    }
)

#: Reasons that may lie with the machine or the moment, not with the recording: tried again by a later run.
TRANSIENT_REASONS = frozenset({"memory", "decoder-crash", "timeout", "worker-crash", "changed", "unreadable"})

#: Why a single event of an accepted recording can be left out of the frames.
DROP_REASONS = ("coordinate", "outside-window", "partial-window", "few-events", "saturated", "merged")
