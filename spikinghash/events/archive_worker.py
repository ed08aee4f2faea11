"""The child process that reads one archive: the file is its stdin, what lies in it goes to its stdout.

The one argument is JSON: `name`, `size`, `limits`, `skip` (members sent before), `memory_bytes`, `most_bytes` (of one
member). An answer is a letter, four bytes of length and so many bytes: `J` is JSON, `D` a piece of the content of the
member that was named last. First comes `{"archive": bool}`; `{"member", "bytes", "stored"}` begins a member, `{"end"}`
ends it, `{"too_large": message}` says that its content is left out; `{"reason", "message"}` refuses the archive with
the member that was begun and all that follow; `{"done"}` is last.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any, BinaryIO

from spikinghash.errors import BadRecording
from spikinghash.events.archive_index import ArchiveLimits, Member, archive_damage, open_index
from spikinghash.events.archive_kind import HEAD_BYTES

_PIECE_BYTES = 1 << 20
#: Longest text in an answer, cut beyond: a name of a tar may have any length.
_MOST_NAME = 32_768


def serve(archive: BinaryIO, answers: BinaryIO, request: dict[str, Any]) -> None:
    """Send everything that lies in `archive`."""
    limits = ArchiveLimits(**request["limits"])
    try:
        with archive_damage():
            members = open_index(archive, archive.read(HEAD_BYTES), request["size"], request["name"], limits)
            _tell(answers, {"archive": members is not None})
            for number, member in enumerate(members or ()):
                if number >= request["skip"]:
                    _send(answers, member, request["most_bytes"])
    except BadRecording as error:
        _tell(answers, {"archive": True, "reason": error.reason, "message": error.message})
    _tell(answers, {"done": True})


def _send(answers: BinaryIO, member: Member, most_bytes: int) -> None:
    if len(member.name) > _MOST_NAME:
        raise BadRecording("archive-name", f"the member name {member.name[:60]!r}... has {len(member.name)} characters")
    _tell(answers, {"member": member.name, "bytes": member.size, "stored": member.stored})
    if member.size > most_bytes:
        said = f"{member.size} bytes are more than {most_bytes}, what this machine's memory allows for one recording"
        _tell(answers, {"too_large": said})
        return
    left = member.size
    while left and (piece := member.content.read(min(left, _PIECE_BYTES))):
        answers.write(b"D" + len(piece).to_bytes(4, "little") + piece)
        left -= len(piece)
    if left:
        raise EOFError(f"the member {member.name[:60]!r} ends {left} bytes early")
    # at the end a zip compares the checksum
    member.content.read(1)
    _tell(answers, {"end": True})


def _tell(answers: BinaryIO, facts: dict[str, Any]) -> None:
    text = json.dumps(facts).encode()
    answers.write(b"J" + len(text).to_bytes(4, "little") + text)
    answers.flush()


def main() -> None:
    """Serve on the pipes this process was started with."""
    request = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (request["memory_bytes"], resource.RLIM_INFINITY))
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as archive:
        serve(archive, os.fdopen(os.dup(sys.stdout.fileno()), "wb"), request)


if __name__ == "__main__":
    main()
