"""How much memory reading one input may take on this machine, in this process and its children together."""

from __future__ import annotations

import functools
from pathlib import Path

import psutil

#: Of the machine's memory, or of what a control group allows this process.
SHARE = 0.25
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@functools.cache
def reading_bytes() -> int:
    """A quarter of the memory there is, in bytes."""
    return int(min(psutil.virtual_memory().total, *map(_limit, _own_groups()), *map(_limit, _CGROUPS)) * SHARE)


def _own_groups() -> list[str]:
    """Where the limits of this process's control group stand; it may lie below the one that is mounted."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    return [f"/sys/fs/cgroup{line.split(':', 2)[2]}/memory.max" for line in lines if line.startswith("0::")]


def _limit(path: str) -> int:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return 1 << 62
