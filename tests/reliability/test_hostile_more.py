"""250 further hostile files: none stops the batch, takes over 30 s or 1 GB above idle; each has one row with a reason.

A sample of them here; all with FULL=1, where the time and memory of each is also printed.
"""

import os
import time
from collections import Counter
from pathlib import Path

import hostile
import hostile_more
import pytest
import warm
from process_tree import Watch

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.fsck import fsck
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.schema import REASONS
from spikinghash.training.checkpoint import load_model

FULL = bool(int(os.environ.get("FULL", "0")))
EVERY = 1 if FULL else 9
MOST_S, MOST_BYTES = 30, 1 << 30
GOOD = 20

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    root = tmp_path_factory.mktemp("night")
    inbox = root / "inbox"
    inbox.mkdir()
    expected = hostile_more.write_more(inbox, EVERY)
    for number in range(GOOD):
        (inbox / f"good-{number:02}.bin").write_bytes(hostile.good(seed=100 + number))
    warm.tiny_model(root / "model", sorted(inbox.glob("good-*.bin")))
    costs = {}
    encoder, database = Encoder(load_model(root / "model")), CodeDatabase.create_or_open(root / "db")
    with IsolatedDecoder() as decoder:
        # the kernels of all formats are compiled and loaded by good files, not at a hostile one's cost
        for data in hostile.samples().values():
            decoder.decode(hostile_source(data))
        reports = []
        for path in discover([inbox]):
            started = time.monotonic()
            with Watch() as watch:
                reports.append(encode_recordings([path], encoder, database, decode=decoder.stream))
            costs[path.name] = (time.monotonic() - started, watch.most_bytes)
    return expected, reports, database, costs, inbox


def hostile_source(data):
    from spikinghash.events.source import Source

    return Source(Path("sample"), data)


def test_there_are_enough_of_other_kinds():
    names = set(hostile_more.all_files())
    assert len(names) >= 250
    kinds = {name.rsplit(".", 1)[1] for name in names}
    formats = {"evt2", "evt21", "evt3", "dat", "aedat", "aedat3", "aedat4", "es", "npy", "npz", "csv", "mat", "h5"}
    assert formats | {"zip", "tar", "gz", "bz2", "xz"} <= kinds
    old = {data for data, _ in (hostile.arrays_that_lie() | hostile.foreign() | hostile.archives()).values()}
    assert not old & {data for data, _ in hostile_more.all_files().values()}


def test_each_is_one_row_with_its_reason(night):
    expected, _, database, _, _ = night
    rows = {}
    for row in database.quarantined().to_pylist():
        name = Path(row["path"].split("!")[0]).name
        assert name not in rows, f"two rows for {name}"
        rows[name] = row
    assert set(rows) == set(expected)
    wrong = {name: row["reason"] for name, row in rows.items() if row["reason"] not in (expected[name] or REASONS)}
    assert wrong == {}
    assert all(row["message"] and "\n" not in row["message"] for row in rows.values())


def test_the_good_ones_are_hashed_and_the_accounts_add_up(night):
    expected, reports, database, _, inbox = night
    assert sum(report.committed for report in reports) == GOOD
    assert sum(report.quarantined for report in reports) == len(expected)
    assert sum(report.pending for report in reports) == 0
    accounts = fsck(database, None, discover([inbox]))
    assert accounts.ok
    assert (accounts.found, accounts.committed, accounts.quarantined) == (GOOD + len(expected), GOOD, len(expected))


def test_none_takes_much_time_or_memory(night):
    _, reports, _, costs, _ = night
    slow, large = (max(costs, key=lambda name: costs[name][which]) for which in (0, 1))
    print(f"\nslowest {slow} {costs[slow][0]:.1f} s, largest {large} {costs[large][1] / 2**20:.0f} MiB")
    print(dict(sum((report.reasons for report in reports), Counter()).most_common()))
    assert {name: cost for name, cost in costs.items() if cost[0] > MOST_S} == {}
    assert {name: cost for name, cost in costs.items() if cost[1] > MOST_BYTES} == {}
