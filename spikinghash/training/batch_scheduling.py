"""Training as batch work to the system: its threads do not interrupt one another when they wake up."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def schedule_as_batch() -> None:
    """Linux's SCHED_BATCH (`man 7 sched`) for all threads that this process has by now; elsewhere nothing.

    The event loop of Gloo asks again and again for a lock that its other thread holds. Where it wakes up on that
    thread's core and interrupts it, both stand still until the loop's time slice is over: 3 ms for each sum of
    gradients, on machines whose cores are all at work.
    """
    if not hasattr(os, "SCHED_BATCH"):
        return
    for thread in Path("/proc/self/task").glob("*"):
        # one that has ended meanwhile, or a system that does not allow it
        with suppress(OSError):
            # who has chosen another policy keeps it
            if os.sched_getscheduler(int(thread.name)) == os.SCHED_OTHER:
                os.sched_setscheduler(int(thread.name), os.SCHED_BATCH, os.sched_param(0))
