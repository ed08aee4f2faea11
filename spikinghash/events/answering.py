"""The loop of a child process that answers questions about content nobody vouches for (`isolated_child`).

A request is one JSON line (`bytes`, `limit_bytes` and what else the question needs) and so many bytes of content. An
answer is four bytes of length, that much JSON and, where all went well, raw bytes. No pickle crosses.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from spikinghash.errors import BadRecording, ConfigError

#: What a child says when it has imported all it needs.
READY = b"ready\n"
#: What the JSON says, and arrays whose bytes follow it.
Answer = tuple[dict[str, Any], tuple[Any, ...]]
#: Answers a request about some content; the third argument sets a new limit of memory in bytes.
Handler = Callable[[dict[str, Any], bytes, Callable[[int], None]], Answer]
#: After so much content or answer the collector is called, for what holds memory in a circle.
_LARGE_BYTES = 16 << 20


def serve(requests: BinaryIO, answers: BinaryIO, handle: Handler) -> None:
    """Answer requests until `requests` ends."""
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        # measured anew for each file: whatever the earlier ones left is not this one's
        limit = _limiter(_data_bytes() + request["bytes"])
        limit(request["limit_bytes"])
        size = _answer(answers, *_handled(request, requests.read(request["bytes"]), handle, limit))
        if size + request["bytes"] > _LARGE_BYTES:
            gc.collect()


def _handled(request: dict[str, Any], content: bytes, handle: Handler, limit: Callable[[int], None]) -> Answer:
    try:
        return handle(request, content, limit)
    except BadRecording as error:
        return {"reason": error.reason, "message": error.message, "offset": error.offset}, ()
    except ConfigError as error:
        return {"config": str(error)}, ()
    except MemoryError:
        return {"reason": "memory", "message": "decoding needs more memory than allowed", "offset": None}, ()


def _limiter(baseline: int) -> Callable[[int], None]:
    def limit(more: int) -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (baseline + more, resource.RLIM_INFINITY))

    return limit


def _answer(answers: BinaryIO, facts: dict[str, Any], arrays: tuple[Any, ...]) -> int:
    head = json.dumps(facts).encode()
    answers.write(len(head).to_bytes(4, "little") + head)
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
