"""The loop of a child process that answers questions about content nobody vouches for (`isolated_child`).

A request is one JSON line (`size` of the content, `bytes` of it that follow, `limit_bytes` and what else the question
needs). An answer is four bytes of length, that much JSON and, where all went well, raw bytes; `{"read": [start, stop]}`
asks for so many bytes of the content before. A request has one answer or several, as its handler gives them. No pickle
crosses.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.asked_content import AskedContent, send
from spikinghash.events.content import Content, HeldContent

#: What a child says when it has imported all it needs.
READY = b"ready\n"
#: What the JSON says, and arrays whose bytes follow it.
Answer = tuple[dict[str, Any], tuple[Any, ...]]
#: Answers a request about some content; the third argument sets a new limit of memory in bytes.
Handler = Callable[[dict[str, Any], Content, Callable[[int], None]], Iterator[Answer]]
#: After so much content or answer the collector is called, for what holds memory in a circle.
_LARGE_BYTES = 16 << 20


def serve(requests: BinaryIO, answers: BinaryIO, handle: Handler) -> None:
    """Answer requests until `requests` ends."""
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        # measured anew for each file: whatever the earlier ones left is not this one's
        limit = _limiter(_data_bytes() + request["bytes"])
        limit(request["limit_bytes"])
        content: Content = AskedContent(request["size"], requests, answers)
        if request["bytes"] == request["size"]:
            content = HeldContent(requests.read(request["bytes"]))
        size = sum(_answer(answers, *answer) for answer in _handled(request, content, handle, limit))
        if size + request["size"] > _LARGE_BYTES:
            gc.collect()


def _handled(
    request: dict[str, Any], content: Content, handle: Handler, limit: Callable[[int], None]
) -> Iterator[Answer]:
    try:
        yield from handle(request, content, limit)
    except BadRecording as error:
        yield {"reason": error.reason, "message": error.message, "offset": error.offset}, ()
    except ConfigError as error:
        yield {"config": str(error)}, ()
    except MemoryError:
        yield {"reason": "memory", "message": "decoding needs more memory than allowed", "offset": None}, ()


def _limiter(baseline: int) -> Callable[[int], None]:
    def limit(more: int) -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (baseline + more, resource.RLIM_INFINITY))

    return limit


def _answer(answers: BinaryIO, facts: dict[str, Any], arrays: tuple[Any, ...]) -> int:
    send(answers, facts)
    for array in arrays:
        answers.write(memoryview(array).cast("B"))
    answers.flush()
    return sum(memoryview(array).nbytes for array in arrays)


def _data_bytes() -> int:
    """Private writable memory of this process now, in bytes, about as RLIMIT_DATA counts it."""
    return int(Path("/proc/self/statm").read_bytes().split()[5]) * resource.getpagesize()


def main(handle: Handler) -> None:
    """Serve on the pipes this process was started with; anything a decoder prints goes to stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answers.write(READY)
    answers.flush()
    serve(sys.stdin.buffer, answers, handle)
