"""In a child process: content that lies with the parent and is asked for over the pipes (`answering`)."""

from __future__ import annotations

import json
from typing import Any, BinaryIO


class AskedContent:
    """A `Content` of `size` bytes; what is asked for is what is sent, however long that takes."""

    def __init__(self, size: int, requests: BinaryIO, answers: BinaryIO) -> None:
        self.size = size
        self.requests, self.answers = requests, answers

    def read(self, start: int, stop: int) -> bytes:
        """As `Content.read`; the parent refuses for what it cannot read."""
        start, stop = max(0, start), min(stop, self.size)
        if stop <= start:
            return b""
        send(self.answers, {"read": [start, stop]})
        self.answers.flush()
        return self.requests.read(stop - start)


def send(answers: BinaryIO, facts: dict[str, Any]) -> None:
    """Four bytes of length and so much JSON."""
    head = json.dumps(facts).encode()
    answers.write(len(head).to_bytes(4, "little") + head)
