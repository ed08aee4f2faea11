"""Kill `spikinghash encode` at random moments: `python tests/reliability/kill.py WORK --kills 300`.

Two runs write to one database while a reader queries it; both are killed with SIGKILL and started again. In the end one
run finishes, and the database must equal that of a run nobody disturbed. Prints one JSON document; exit code 1 unless
all is well.
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

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.fsck import fsck

#: Kills that one database has to bear before a run may finish.
KILLS_PER_DATABASE = 12
COMMIT = 4


def reader(db, expected, out):
    """Fork a reader: until killed it compares every version with `expected` and writes the first mismatch to `out`."""
    pid = os.fork()
    if pid:
        return pid
    queries = most = 0
    try:
        while True:
            if (db / "quarantine/_delta_log").exists():
                found = warm.codes_of(db)
                assert found.items() <= expected.items(), "a code differs from the undisturbed run's"
                assert len(found) >= most, "rows disappeared"
                refused = warm.quarantine_of(db)
                assert len(set(refused)) == len(refused), "refused twice"
                most, queries = len(found), queries + 1
                tell(out, str(queries))
            time.sleep(0.02)
    except BaseException as error:  # noqa: BLE001
        tell(out, repr(error))
    finally:
        os._exit(1)


def tell(out, text):
    """Replace the text of a file in one step: the reader may be killed at any moment."""
    new = out.with_suffix(".new")
    new.write_text(text)
    new.replace(out)


def state(db):
    """({clip: code}, file names in the quarantine, None where a kill came before that table was made)."""
    return warm.codes_of(db), warm.quarantine_of(db) if (db / "quarantine/_delta_log").exists() else None


def log_size(db):
    """Entries in and around the logs: changes whenever a writer does something visible."""
    return sum(len(list(db.glob(pattern))) for pattern in ("*/_delta_log/*", "codes/*/*", "quarantine/*"))


def strike(writers, db, rng, longest):
    """Kill the writers at a random time, half of the time just when one of them changes the folder of the database."""
    until = time.monotonic() + rng.uniform(0, longest)
    aim, seen, changes = rng.random() < 0.5, log_size(db), rng.randrange(1, 8)
    while time.monotonic() < until:
        if aim and log_size(db) != seen:
            seen, changes = log_size(db), changes - 1
            if changes == 0:
                time.sleep(rng.uniform(0, 0.004))
                break
        time.sleep(0.001 if aim else 0.01)
    for pid in writers:
        os.kill(pid, signal.SIGKILL)
    return sum(warm.wait(pid) == -signal.SIGKILL for pid in writers)


def campaign(work, kills, files, seed):
    """All of it; what was found, JSON-ready."""
    rng = random.Random(seed)
    landing, model = work / "landing", work / "model"
    sample = warm.inbox(landing, files)
    warm.tiny_model(model, sample[:8])
    warm.warm_up(model, sample)
    started = time.monotonic()
    code, report = warm.run([landing], work / "calm", model, work / "calm.json", commit=COMMIT)
    longest = time.monotonic() - started
    assert code == 3, (work / "calm.json.err").read_text()
    expected, refused = warm.apart(state, work / "calm")
    assert len(expected) == files
    found = {"kills": 0, "databases": 0, "in_the_middle": 0, "queries": 0, "problems": [], "clips": len(expected)}
    found |= {"undisturbed": report, "different_codes": len(set(expected.values()))}
    while found["kills"] < kills:
        db, watch = work / f"db-{found['databases']}", work / "reader.txt"
        watch.write_text("0")
        eye = reader(db, expected, watch)
        before = found["kills"]
        while found["kills"] < min(kills, before + KILLS_PER_DATABASE):
            writers = [warm.start([landing], db, model, work / f"w{n}.json", commit=COMMIT) for n in range(2)]
            found["kills"] += strike(writers, db, rng, longest)
            if (db / "codes/_delta_log/00000000000000000000.json").exists():
                found["in_the_middle"] += 0 < len(warm.apart(state, db)[0]) < files
        code, report = warm.run([landing], db, model, work / "last.json", commit=COMMIT)
        os.kill(eye, signal.SIGKILL)
        warm.wait(eye)
        found["problems"] += warm.apart(judge, db, model, landing, expected, refused, code, report)
        text = watch.read_text()
        found["problems"] += [] if text.isdigit() else [f"the reader: {text}"]
        found["queries"] += int(text) if text.isdigit() else 0
        found["databases"] += 1
        if not found["problems"]:
            shutil.rmtree(db)
    return found | {"seconds": round(time.monotonic() - started, 1)}


def judge(db, model, landing, expected, refused, code, report):
    """What is wrong with a database after the last run."""
    if code != 3:
        return [f"the last run ended with {code}: {(db.parent / 'last.json.err').read_text()[-300:]}"]
    problems = []
    there = warm.codes_of(db)
    for name, clips in (("lost", expected.keys() - there.keys()), ("unexpected", there.keys() - expected.keys())):
        problems += [f"{len(clips)} clips {name}"] if clips else []
    problems += [] if warm.digest(there) == warm.digest(expected) else ["the digest differs"]
    problems += [] if warm.quarantine_of(db) == refused else ["the quarantine differs"]
    counted = report["committed"] + report["skipped"] + report["quarantined"] + report["pending"]
    problems += [] if counted == report["found"] and report["pending"] == 0 else [f"counts: {report}"]
    accounts = fsck(CodeDatabase.open(db), None, discover([landing]))
    return problems + ([] if accounts.ok else accounts.problems)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--files", type=int, default=36)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    found = campaign(asked.work, asked.kills, asked.files, asked.seed) | {"seed": asked.seed}
    print(json.dumps(found))
    sys.exit(1 if found["problems"] else 0)


if __name__ == "__main__":
    main()
