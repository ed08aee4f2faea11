"""Fail each write, fsync, rename, open and commit of `spikinghash encode` in turn, then run it again undisturbed.

`LD_PRELOAD=<fault_shim.so> python tests/reliability/faults.py WORK [--error EIO]` prints one JSON document; without the
shim only commits are failed. Each fault must end the run with exit code 75, and the next run must leave the database as
if nothing had been.
"""

import argparse
import ctypes
import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import warm
from deltalake.exceptions import CommitFailedError

from spikinghash.codes import commit
from spikinghash.errors import EXIT_QUARANTINED, EXIT_TEMPORARY

KINDS = ("write", "fsync", "rename", "open")
COMMIT = 3


def arm(db, kind, number, error):
    """Fail the `number`-th call of a kind below `db`, once; a count of calls is left in `<db>.calls` at the end."""
    shim = ctypes.CDLL(None)
    shim.fault_seen.restype = ctypes.c_long
    shim.fault_arm(str(db).encode(), KINDS.index(kind), ctypes.c_long(number), error)
    leave = os._exit

    def count_and_leave(code):
        Path(f"{db}.calls").write_text(str(shim.fault_seen(KINDS.index(kind))))
        leave(code)

    os._exit = count_and_leave


def fail_commit(number, after, error):
    """Fail the `number`-th commit before it is made, or after: then the rows are there and nobody was told."""
    real, calls = commit.append_rows, []

    def write(*arguments, **options):
        calls.append(1)
        if len(calls) == number and not after:
            raise error
        real(*arguments, **options)
        if len(calls) == number:
            raise error

    commit.append_rows = write


class Bench:
    """A landing folder, a model, and what an undisturbed run makes of them."""

    def __init__(self, work, files, commit=COMMIT):
        self.work, self.landing, self.model, self.commit = work, work / "landing", work / "model", commit
        sample = warm.inbox(self.landing, files)
        warm.tiny_model(self.model, sample[:8])
        warm.warm_up(self.model, sample)
        started = time.monotonic()
        code, _ = self.encode(work / "calm")
        self.seconds = time.monotonic() - started
        assert code == EXIT_QUARANTINED, (work / "out.json.err").read_text()
        self.calm = warm.apart(self.state, work / "calm")

    def encode(self, db, before=None):
        return warm.run([self.landing], db, self.model, self.work / "out.json", before=before, commit=self.commit)

    @staticmethod
    def state(db):
        return [warm.digest(warm.codes_of(db)), warm.quarantine_of(db)]

    def try_fault(self, name, before, expected=EXIT_TEMPORARY, db=None, repair=lambda: None):
        """Problems of one run with a fault and of the run after its `repair`."""
        db = db or self.work / "db"
        shutil.rmtree(db, ignore_errors=True)
        code, _ = self.encode(db, before)
        told = (self.work / "out.json.err").read_text()
        hurt = [] if code == expected else [f"{name}: exit code {code}: {told[-400:]}"]
        hurt += [f"{name}: a traceback"] if "Traceback" in told else []
        repair()
        code, _ = self.encode(db)
        hurt += [] if code == EXIT_QUARANTINED else [f"{name}: resumed with {code}"]
        return hurt + (
            [] if warm.apart(self.state, db) == self.calm else [f"{name}: another database than undisturbed"]
        )

    def calls(self, kind):
        """How many calls of a kind an undisturbed run makes."""
        db = self.work / "counted"
        shutil.rmtree(db, ignore_errors=True)
        self.encode(db, lambda: arm(db, kind, -1, 0))
        return int(Path(f"{db}.calls").read_text())


def full_disks(bench):
    """(problems, ways tried) of a full disk: a limit on the size of files, and a tmpfs where we may mount one."""

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))

    problems, ways = bench.try_fault("file size limit", small_files), ["limit"]
    disk = bench.work / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o"]
    for pages in (1, 4, 8, 12):
        if subprocess.run([*mount, f"size={4 * pages}k", "tmpfs", disk], check=False, capture_output=True).returncode:
            return problems, ways

        def repair():
            subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)

        try:
            problems += bench.try_fault(f"disk of {pages} pages", None, db=disk / "db", repair=repair)
        finally:
            subprocess.run(["umount", disk], check=True)
        ways.append(f"tmpfs of {pages} pages")
    return problems, ways


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--files", type=int, default=5)
    parser.add_argument("--error", default="ENOSPC")
    parser.add_argument("--every", type=int, default=1, help="every so many-th call only")
    asked = parser.parse_args()
    bench = Bench(asked.work, asked.files)
    number = getattr(errno, asked.error)
    tried, problems = {}, []
    for kind in KINDS if "LD_PRELOAD" in os.environ else ():
        tried[kind] = bench.calls(kind)
        for n in range(1, tried[kind] + 1, asked.every):
            problems += bench.try_fault(
                f"{kind} {n}", lambda kind=kind, n=n: arm(bench.work / "db", kind, n, number)
            )  # fmt: skip
    for after in (False, True):
        for n in (1, 2, 3):
            error = OSError(number, os.strerror(number))
            problems += bench.try_fault(f"commit {n}", lambda n=n, a=after, e=error: fail_commit(n, a, e))
    lost = CommitFailedError("lost")
    problems += bench.try_fault("race", lambda: fail_commit(1, False, lost), EXIT_QUARANTINED)
    problems += bench.try_fault("answer lost", lambda: fail_commit(1, True, lost), EXIT_QUARANTINED)
    hurt, ways = full_disks(bench)
    problems += hurt
    print(json.dumps({"tried": tried | {"commit": 8}, "full": ways, "problems": problems}))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
