"""Kill two encoders, compaction, vacuum, index builds and searches of one database at once, at random moments.

`python tests/reliability/five_kinds.py WORK --kills 200` prints one JSON document; exit code 1 unless all is well. In
the end `fsck` has to agree with a count of DuckDB over the files that the log names: nothing lost, nothing doubled, and
no search ever gave a wrong answer.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import duckdb
import kill
import numpy as np
import warm

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.fsck import fsck
from spikinghash.errors import BadStore, Temporary
from spikinghash.index.flat import build_index
from spikinghash.index.searcher import open_searcher
from spikinghash.training.checkpoint import load_model

KILLS_PER_DATABASE = 12
#: A week, as `spikinghash vacuum` has it.
KEEP_HOURS = 168.0


class Jobs:
    """Processes by kind, which write what is wrong, or how often they came round, to `<kind>.txt`."""

    def __init__(self, work, landing, model, db, expected):
        self.work, self.landing, self.model, self.db = work, landing, model, db
        self.expected = expected
        self.digest = load_model(model).digest
        self.rounds, self.problems, self.pids = Counter(), [], {}

    def start(self, kind):
        if kind.startswith("encode"):
            self.pids[kind] = warm.start([self.landing], self.db, self.model, self.out(kind), commit=kill.COMMIT)
            return
        self.out(kind).write_text("0")
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            self.pids[kind] = pid
            return
        done = 0
        try:
            while True:
                if (self.db / "quarantine/_delta_log" / f"{0:020}.json").exists():
                    getattr(self, kind)()
                    done += 1
                    kill.tell(self.out(kind), str(done))
                time.sleep(0.01)
        except BaseException as error:  # noqa: BLE001
            kill.tell(self.out(kind), repr(error))
        finally:
            os._exit(1)

    def out(self, kind):
        return self.work / f"{kind}.txt"

    def end(self, kind):
        """Kill a job and read what it left; whether it was alive."""
        pid = self.pids.pop(kind)
        os.kill(pid, signal.SIGKILL)
        code = warm.wait(pid)
        if kind.startswith("encode"):
            if code not in (-signal.SIGKILL, 3):
                self.problems.append(f"{kind} ended with {code}: {Path(f'{self.out(kind)}.err').read_text()[-300:]}")
            self.rounds[kind] += code == 3
            return code == -signal.SIGKILL
        text = self.out(kind).read_text()
        self.problems += [] if text.isdigit() else [f"{kind}: {text}"]
        self.rounds[kind] += int(text) if text.isdigit() else 0
        return code == -signal.SIGKILL

    def compact(self):
        """A lost race against another rewrite is no fault."""
        with suppress(Temporary):
            CodeDatabase.open(self.db).compact()

    def vacuum(self):
        CodeDatabase.open(self.db).vacuum(KEEP_HOURS)

    def index(self):
        try:
            codes = CodeDatabase.open(self.db).load(self.digest)
        except BadStore as error:
            assert "is empty" in str(error), error  # nothing is committed yet
        else:
            build_index(codes, self.db / "index" / self.digest)

    def search(self):
        """All clips with their distances to a code: each is right, none is there twice, none has gone again."""
        try:
            codes = open_searcher(CodeDatabase.open(self.db), self.digest, self.db / "index" / self.digest)
        except BadStore as error:
            assert "is empty" in str(error), error
            return
        query = np.frombuffer(bytes.fromhex(self.expected[min(self.expected)]), np.uint8)[None]
        (hits,) = codes.find(query, None, codes.bits)
        found = dict(zip(hits.column("clip_id").to_pylist(), hits.column("distance").to_pylist(), strict=True))
        assert len(found) == hits.num_rows, "a clip was found twice"
        for clip, distance in found.items():
            code = np.frombuffer(bytes.fromhex(self.expected[clip]), np.uint8)
            assert distance == int(np.bitwise_count(code ^ query[0]).sum()), f"{clip} is {distance} bits away"
        most = self.work / "most.txt"
        before = int(most.read_text()) if most.exists() else 0
        assert len(found) >= before, f"{before - len(found)} clips are no longer found"
        kill.tell(most, str(len(found)))


KINDS = ("encode-0", "encode-1", "compact", "vacuum", "index", "search")


def age_leftovers(db):
    """Make what killed writers left look a month old, so that vacuum has something to delete; nobody writes now."""
    old = time.time() - 30 * 24 * 3600
    for table in ("codes", "quarantine"):
        named = {Path(path).name for path in logged_files(db / table)}
        for path in (db / table).rglob("*parquet*"):
            if path.name not in named and "_delta_log" not in path.parts:
                os.utime(path, (old, old))


def logged_files(table):
    """Paths of the data files that the entries of a log add and do not remove; read without any library."""
    files = {}
    for entry in sorted((table / "_delta_log").glob("*.json")):
        for line in entry.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                files[action["add"]["path"]] = table / action["add"]["path"]
            elif "remove" in action:
                files.pop(action["remove"]["path"], None)
    return list(files.values())


def independent_count(db):
    """(rows, distinct clips, recordings, {clip: code}) by DuckDB over the files of the log."""
    files = [str(path) for path in logged_files(db / "codes")]
    rows = duckdb.sql(
        "select clip_id, hex(code), recording_sha256 from read_parquet($f)", params={"f": files}
    ).fetchall()
    return len(rows), len({row[0] for row in rows}), len({row[2] for row in rows}), {row[0]: row[1] for row in rows}


def judge_all(jobs, refused, code, report):
    """What is wrong in the end."""
    problems = kill.judge(jobs.db, jobs.model, jobs.landing, jobs.expected, refused, code, report)
    rows, clips, recordings, codes = independent_count(jobs.db)
    accounts = fsck(CodeDatabase.open(jobs.db), jobs.digest)
    counted = fsck(CodeDatabase.open(jobs.db), jobs.digest, discover([jobs.landing]))
    problems += [] if accounts.ok and counted.ok else [*accounts.problems, *counted.problems]
    problems += [] if accounts.committed == recordings else [f"fsck says {accounts.committed}, DuckDB {recordings}"]
    problems += [] if rows == clips == len(jobs.expected) else [f"{rows} rows of {clips} clips"]
    problems += [] if codes == jobs.expected else ["DuckDB sees other codes"]
    problems += [] if counted.found == counted.committed + counted.quarantined else ["the counts do not add up"]
    return problems


def one_database(jobs, rng, kills, longest):
    """Let all jobs run on a new database and kill one after the other; how many kills of which kind."""
    (jobs.work / "most.txt").unlink(missing_ok=True)
    for kind in KINDS:
        jobs.start(kind)
    struck = Counter()
    while struck.total() < kills and not jobs.problems:
        until = time.monotonic() + rng.uniform(0, longest / 2)
        aim, seen, changes = rng.random() < 0.6, kill.log_size(jobs.db), rng.randrange(1, 6)
        while time.monotonic() < until:
            if aim and kill.log_size(jobs.db) != seen:
                seen, changes = kill.log_size(jobs.db), changes - 1
                if not changes:
                    time.sleep(rng.uniform(0, 0.004))
                    break
            time.sleep(0.001 if aim else 0.01)
        kind = rng.choice(KINDS)
        struck[kind.split("-")[0]] += jobs.end(kind)
        jobs.start(kind)
    for kind in list(jobs.pids):
        jobs.end(kind)
    return struck


def campaign(work, kills, files, seed):
    rng = random.Random(seed)
    landing, model = work / "landing", work / "model"
    sample = warm.inbox(landing, files)
    warm.tiny_model(model, sample[:8])
    warm.warm_up(model, sample)
    started = time.monotonic()
    code, _ = warm.run([landing], work / "calm", model, work / "calm.json", commit=kill.COMMIT)
    longest = time.monotonic() - started
    assert code == 3, (work / "calm.json.err").read_text()
    expected, refused = warm.apart(kill.state, work / "calm")
    calm = Jobs(work, landing, model, work / "calm", expected)
    warm.apart(calm.search)  # kernels are compiled once
    struck, rounds, problems, databases = Counter(), Counter(), [], 0
    while struck.total() < kills and not problems:
        jobs = Jobs(work, landing, model, work / f"db-{databases}", expected)
        struck += one_database(jobs, rng, min(KILLS_PER_DATABASE, kills - struck.total()), longest)
        age_leftovers(jobs.db)
        code, report = warm.run([landing], jobs.db, model, work / "last.json", commit=kill.COMMIT)
        for last in (jobs.vacuum, jobs.compact, jobs.index, jobs.search):
            warm.apart(last)
        problems += jobs.problems + warm.apart(judge_all, jobs, refused, code, report)
        rounds += jobs.rounds
        databases += 1
        if not problems:
            shutil.rmtree(jobs.db)
    return {
        "kills": struck.total(), "by_kind": dict(struck), "rounds": dict(rounds), "databases": databases,
        "clips": len(expected), "problems": problems, "seconds": round(time.monotonic() - started, 1), "seed": seed,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--files", type=int, default=36)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    found = campaign(asked.work, asked.kills, asked.files, asked.seed)
    print(json.dumps(found))
    sys.exit(1 if found["problems"] else 0)


if __name__ == "__main__":
    main()
