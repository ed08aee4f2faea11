"""EVT 2.0 of Prophesee cameras: little-endian words of 32 bits, after a text header.

Described in the Metavision documentation, "EVT 2.0 format". Times are microseconds; runs of the clock beyond its range
are added up, as the format defines.
"""

from __future__ import annotations

from spikinghash.events.events import Events
from spikinghash.events.evt_header import evt_header, sensor_of
from spikinghash.events.evt_words import decode_words
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.records import whole_records

NAME = "evt2"
ENCODING = "2.0"


def looks_like(head: bytes, size: int) -> bool:
    """Whether the header names this encoding."""
    return head.startswith(b"%") and evt_header(head).encoding == ENCODING


def read(data: bytes, options: ReadOptions = DEFAULTS) -> Events:
    """Decode the whole content of a file; one without a header needs `options.sensor`.

    The sensor is `options.sensor`, else the geometry in the header, else that of its `system_ID`. External triggers
    and words of the vendor are counted in `dropped`. Raises `BadRecording`: truncated, sensor, event-type (offset of
    the first unknown word), and what `validate` refuses.
    """
    from spikinghash.events.evt2_kernel import count_evt2, decode_evt2

    header = evt_header(data)
    words = whole_records(data, header.start, "<u4")
    sensor = sensor_of(header, options)
    return decode_words(words, (count_evt2, decode_evt2), format=NAME, start=header.start, sensor=sensor)
