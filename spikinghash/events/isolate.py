"""Decoding in a child process with limits on time and memory, so that one hostile file costs one refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType

import numpy as np

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.isolated_child import Facts, Fill, IsolatedChild, Limits
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.source import Source
from spikinghash.isolation import isolated_command

__all__ = ["WORKER", "IsolatedDecoder", "Limits"]

WORKER = isolated_command("spikinghash.events.decode_worker")
_RAW = (("t", np.int64), ("x", np.uint16), ("y", np.uint16), ("p", np.uint8))
_LIMITS = Limits()
_EVENT_BYTES = sum(np.dtype(kind).itemsize for _, kind in _RAW)


class IsolatedDecoder:
    """A decoder with the signature of `reader.decode`; use it in a `with` block. Not for several threads at once.

    The child is started at first use and again after it died or was stopped. Extra reasons it refuses by:
    "timeout", "memory", "decoder-crash", each after a second try where the system may be to blame.
    """

    def __init__(self, limits: Limits = _LIMITS, command: Sequence[str] = WORKER) -> None:
        self.limits = limits
        self.child = IsolatedChild(command, limits)

    def __enter__(self) -> IsolatedDecoder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start the child now instead of at the first file: it takes a second, in which others can import theirs."""
        self.child.start()

    def close(self) -> None:
        """Stop the child."""
        self.child.close()

    def decode(
        self,
        source: Source,
        *,
        format: str | None = None,
        sensor: tuple[int, int] | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> Events:
        """As `reader.decode`, in the child."""
        request = {"name": source.path.name, "format": format, "sensor": sensor, "options": asdict(options)}
        size = len(source.data)
        return self.child.ask(
            request, source.data, source.stored_bytes, lambda facts, fill: self._events(facts, fill, size)
        )

    def _events(self, facts: Facts, fill: Fill, size: int) -> Events:
        count = facts["events"]
        # while they come over, content and events are there and here
        if not 0 <= count <= self.limits.max_events or 2 * (size + count * _EVENT_BYTES) > reading_bytes():
            self.close()
            raise BadRecording("memory", f"{count} events are more than this machine's memory allows for one recording")
        columns: dict[str, np.ndarray] = {}
        for name, kind in _RAW:
            columns[name] = np.empty(count, kind)
            if count:
                fill(columns[name])
            columns[name].flags.writeable = False
        return Events(
            t=columns["t"], x=columns["x"], y=columns["y"], p=columns["p"],
            width=facts["width"], height=facts["height"], format=facts["format"],
            dropped=facts["dropped"], reordered=facts["reordered"],
        )  # fmt: skip
