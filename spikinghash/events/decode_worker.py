"""The child process that decodes: reads one recording after another from stdin, answers on stdout.

A request is one JSON line (`bytes`, `name`, `format`, `sensor`, `options`, `limit_bytes`) and the file's content. An
answer is four bytes of length, that much JSON and, for good recordings, the columns t (int64), x, y (uint16), p (uint8)
as raw bytes. No pickle crosses.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.events import Events
from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import decode
from spikinghash.events.source import Source


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until `requests` ends."""
    baseline = _data_bytes()
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        content = requests.read(request["bytes"])
        ceiling = baseline + len(content) + request["limit_bytes"]
        resource.setrlimit(resource.RLIMIT_DATA, (ceiling, resource.RLIM_INFINITY))
        try:
            sensor = tuple(request["sensor"]) if request["sensor"] else None
            options = _options(request["options"])
            events = decode(
                Source(Path(request["name"]), content), format=request["format"], sensor=sensor, options=options
            )
        except BadRecording as error:
            _answer(answers, {"reason": error.reason, "message": error.message, "offset": error.offset})
        except ConfigError as error:
            _answer(answers, {"config": str(error)})
        except MemoryError:
            _answer(answers, {"reason": "memory", "message": "decoding needs more memory than allowed", "offset": None})
        else:
            _send(answers, events)


def _options(stored: dict[str, Any]) -> ReadOptions:
    sensor = stored.pop("sensor")
    return ReadOptions(sensor=tuple(sensor) if sensor else None, **stored)


def _send(answers: BinaryIO, events: Events) -> None:
    facts = {
        "events": events.count,
        "width": events.width,
        "height": events.height,
        "format": events.format,
        "dropped": dict(events.dropped),
        "reordered": events.reordered,
    }
    _answer(answers, facts, events.t.tobytes(), events.x.tobytes(), events.y.tobytes(), events.p.tobytes())


def _answer(answers: BinaryIO, facts: dict[str, Any], *columns: bytes) -> None:
    head = json.dumps(facts).encode()
    answers.write(len(head).to_bytes(4, "little") + head)
    for column in columns:
        answers.write(column)
    answers.flush()


def _data_bytes() -> int:
    """Private writable memory of this process now, in bytes, as RLIMIT_DATA counts it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """Serve on the pipes this process was started with; anything a decoder prints goes to stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
