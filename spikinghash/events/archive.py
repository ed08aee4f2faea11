"""Recordings inside zip and tar archives, read in a child process: nothing is unpacked to disk, so nothing can escape.

A rule broken by the archive refuses the whole archive; a bad recording inside a good archive is refused alone.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spikinghash.errors import BadRecording
from spikinghash.events.archive_index import ArchiveLimits
from spikinghash.events.archive_kind import HEAD_BYTES, may_be_archive
from spikinghash.events.content import unchanged
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.pipe import ChildFailed, read_exactly, stop_child, timed
from spikinghash.events.source import Source
from spikinghash.isolation import NEUTRAL_FOLDER, isolated_command

__all__ = ["ArchiveLimits", "BadMember", "Cost", "is_archive", "members", "open_archive"]

WORKER = isolated_command("spikinghash.events.archive_worker")
_LONGEST_FACTS = 1 << 20
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Cost:
    """What reading an archive may cost: `seconds` plus `seconds_per_mb` of the file for its index, the same of the
    member for each member, and memory of the child.
    """

    seconds: float = 20.0
    seconds_per_mb: float = 0.3
    memory_bytes: int = 512 << 20


_LIMITS, _COST = ArchiveLimits(), Cost()


@dataclass(frozen=True)
class BadMember:
    """A member that was left out; the archive's others are good."""

    path: Path
    error: BadRecording


def is_archive(path: Path) -> bool:
    """Whether the file has the index of a zip (other than an .npz recording), a tar, or a compressed tar."""
    found = open_archive(path)
    if found is not None:
        found.close()
    return found is not None


def members(path: Path, limits: ArchiveLimits = _LIMITS) -> Iterator[Source | BadMember]:
    """As `open_archive`; a file that is no archive is refused as one (truncated)."""
    found = open_archive(path, limits)
    if found is None:
        raise BadRecording("truncated", "the archive is damaged, or compressed but no archive: it has no index")
    yield from found


def open_archive(path: Path, limits: ArchiveLimits = _LIMITS, cost: Cost = _COST) -> _Members | None:
    """The members of an archive, None for every other file.

    Iterating yields every file in it as a `Source` whose path is `<archive>!<name>`, in stored order. Raises
    `BadRecording`, here or later, for the archive as a whole: archive-name, archive-link, archive-count, expansion,
    truncated (damaged), unreadable (encrypted, or not to be opened), changed, memory, timeout, decoder-crash.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None  # `open_source` says why
    facts = os.fstat(handle)
    try:
        worth_a_look = stat.S_ISREG(facts.st_mode) and may_be_archive(os.pread(handle, HEAD_BYTES, 0))
    except OSError:
        worth_a_look = False
    if not worth_a_look:
        os.close(handle)
        return None
    found = _Members(path, handle, facts, limits, cost)
    try:
        if found.begin():
            return found
    except BaseException:
        found.close()
        raise
    found.close()
    return None


@dataclass
class _Members:
    path: Path
    handle: int
    facts: os.stat_result
    limits: ArchiveLimits
    cost: Cost
    sent: int = 0
    child: subprocess.Popen[bytes] | None = None
    tries: int = field(default=0)

    def begin(self) -> bool:
        """Start the child; whether the file is an archive at all."""
        first: dict[str, Any] = {}
        while not first:
            with self._once_more():
                first = self._json(self._start(), self._index_s())
        if "reason" in first:
            raise BadRecording(first["reason"], first["message"])
        return bool(first["archive"])

    def __iter__(self) -> Iterator[Source | BadMember]:
        with closing(self):
            done = False
            while not done:
                with self._once_more():
                    if self.child is None:
                        self.begin()
                    yield from self._rest()
                    unchanged(self.handle, self.facts)
                    done = True

    def close(self) -> None:
        """Stop the child and close the file."""
        self._stop()
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def _rest(self) -> Iterator[Source | BadMember]:
        allowed = self._index_s()
        while True:
            facts = self._json(self._running(), allowed)
            if "done" in facts:
                return
            if "reason" in facts:
                unchanged(self.handle, self.facts)
                raise BadRecording(facts["reason"], facts["message"])
            yield self._member(facts)
            self.sent += 1
            allowed = self.cost.seconds + self._index_s()

    def _member(self, member: dict[str, Any]) -> Source | BadMember:
        path = Path(f"{self.path}!{member['member']}")
        child, parts = self._running(), []
        allowed = self.cost.seconds + self.cost.seconds_per_mb * member["bytes"] / 1e6
        until = time.monotonic() + allowed
        with timed(child):
            while True:
                kind, content = _answer(child, until)
                if kind == b"D":
                    parts.append(content)
                    continue
                facts = json.loads(content)
                if "too_large" in facts:
                    return BadMember(path, BadRecording("memory", facts["too_large"]))
                if "reason" in facts:
                    raise BadRecording(facts["reason"], facts["message"])
                return Source(path, b"".join(parts), stored_bytes=member["stored"] or self.facts.st_size)

    def _start(self) -> subprocess.Popen[bytes]:
        os.lseek(self.handle, 0, os.SEEK_SET)
        request = {"name": self.path.name, "size": self.facts.st_size, "limits": asdict(self.limits)}
        # the content is here twice for a moment, and once more where it is decoded
        request |= {"skip": self.sent, "memory_bytes": self.cost.memory_bytes, "most_bytes": reading_bytes() // 3}
        self.child = subprocess.Popen(
            (*WORKER, json.dumps(request)), stdin=self.handle, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0, cwd=NEUTRAL_FOLDER,
        )  # fmt: skip
        return self.child

    def _running(self) -> subprocess.Popen[bytes]:
        return self.child or self._start()

    def _index_s(self) -> float:
        return self.cost.seconds + self.cost.seconds_per_mb * self.facts.st_size / 1e6

    def _json(self, child: subprocess.Popen[bytes], allowed: float) -> dict[str, Any]:
        with timed(child):
            kind, content = _answer(child, time.monotonic() + allowed)
        if kind != b"J":
            raise ChildFailed("decoder-crash", "the archive's reader answered nonsense")
        facts: dict[str, Any] = json.loads(content)
        return facts

    @contextmanager
    def _once_more(self) -> Iterator[None]:
        """A block that may fail once for what is no fault of the archive."""
        try:
            yield
        except ChildFailed as failed:
            self._stop()
            self.tries += 1
            if self.tries > 1 or not failed.again:
                raise BadRecording(failed.reason, f"the archive cannot be read: {failed.message}") from None

    def _stop(self) -> None:
        if self.child is not None:
            stop_child(self.child)
            self.child = None


def _answer(child: subprocess.Popen[bytes], until: float) -> tuple[bytes, bytes]:
    head = read_exactly(child, 5, until)
    length = int.from_bytes(head[1:], "little")
    if head[:1] not in (b"J", b"D") or length > _LONGEST_FACTS:
        raise ChildFailed("decoder-crash", "the archive's reader answered nonsense")
    return head[:1], read_exactly(child, length, until)
