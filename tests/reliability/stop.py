"""Ask `spikinghash encode` to stop at random moments: `python tests/reliability/stop.py WORK --stops 10`.

Half of the signals are SIGTERM to the run, half SIGINT to its whole process group, as Ctrl-C does, decoder included.
Prints one JSON document; exit code 1 unless all is well.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import warm
from faults import Bench

from spikinghash.errors import EXIT_QUARANTINED, EXIT_TEMPORARY

ALLOWED_S = 5.0
COMMIT = 16
#: A third of the recordings is in one archive, which is one input until it has been read; see `warm.inbox`.
EXTRA = 4


def listens(pid):
    """Whether a process has a handler for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(status.split("SigCgt:")[1].split()[0], 16) >> (signal.SIGTERM - 1) & 1)


def ask(bench, db, group, delay):
    """One run that is asked to stop: (exit code, report, seconds from the signal to the end)."""
    out = bench.work / "out.json"
    pid = warm.start([bench.landing], db, bench.model, out, before=os.setsid if group else None, commit=COMMIT)
    while not listens(pid):
        time.sleep(0.001)
    time.sleep(delay)
    started = time.monotonic()
    (os.killpg if group else os.kill)(pid, signal.SIGINT if group else signal.SIGTERM)
    code = warm.wait(pid)
    text = out.read_text()
    return code, json.loads(text) if text else None, time.monotonic() - started


def judge(code, report, seconds, files):
    """What is wrong with a stopped run."""
    if report is None:
        return [f"no report, exit code {code}"]
    known = files - files // 3 + EXTRA + 1
    counted = sum(report[k] for k in ("committed", "skipped", "quarantined", "pending"))
    problems = [] if counted == report["found"] else [f"counts: {report}"]
    problems += [] if known <= report["found"] <= files + EXTRA + 1 else [f"found {report['found']} of {files}"]
    problems += [] if code == (EXIT_TEMPORARY if report["pending"] else EXIT_QUARANTINED) else [f"exit code {code}"]
    problems += [] if set(report["reasons"]) <= {"empty", "truncated", "unknown-format"} else [f"{report['reasons']}"]
    return problems + ([] if seconds < ALLOWED_S else [f"took {seconds:.1f} s to stop"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--files", type=int, default=150)
    asked = parser.parse_args()
    rng = random.Random(0)
    bench = Bench(asked.work, asked.files, COMMIT)
    found = {"stopped": 0, "part": 0, "longest_s": 0.0, "problems": []}
    db = asked.work / "db"
    for number in range(asked.stops):
        if number % 2 == 0:
            shutil.rmtree(db, ignore_errors=True)
        code, report, seconds = ask(bench, db, bool(number // 2 % 2), rng.uniform(0, bench.seconds))
        found["problems"] += judge(code, report, seconds, asked.files)
        found["longest_s"] = max(found["longest_s"], round(seconds, 2))
        found["stopped"] += code == EXIT_TEMPORARY
        found["part"] += bool(report) and report["committed"] > 0 and report["pending"] > 0
    code, _ = bench.encode(db)
    found["problems"] += [] if code == EXIT_QUARANTINED else [f"the last run ended with {code}"]
    found["problems"] += [] if warm.apart(bench.state, db) == bench.calm else ["another database than undisturbed"]
    print(json.dumps(found))
    sys.exit(1 if found["problems"] else 0)


if __name__ == "__main__":
    main()
