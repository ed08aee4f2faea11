"""The training history survives kills at any byte."""

import dataclasses
import threading
import time

import pytest

from spikinghash.training import history
from spikinghash.training.follow import follow
from spikinghash.training.loop import EpochRecord


def record(epoch, loss=1.0):
    return EpochRecord(
        epoch=epoch, epochs=9, loss=loss, accuracy=0.5, lr=0.1, grad_norm=1.0, val_map=0.4, distinct=1.0, dead_bits=0,
        seconds=1.0, clips_per_s=10.0, parts={"class_loss": 0.5}, rates={"stages.0": 0.1},
    )  # fmt: skip


def test_round_trip_in_order(tmp_path):
    path = tmp_path / "new" / history.HISTORY
    for epoch in (1, 2, 3):
        history.append(path, record(epoch))
    assert history.read(path) == [dataclasses.asdict(record(e)) for e in (1, 2, 3)]


def test_no_history_yet(tmp_path):
    assert history.read(tmp_path / history.HISTORY) == []


def test_a_repeated_epoch_counts_once_the_last_time(tmp_path):
    path = tmp_path / history.HISTORY
    for epoch, loss in ((1, 1.0), (2, 2.0), (3, 3.0), (2, 20.0)):
        history.append(path, record(epoch, loss))
    assert [(r["epoch"], r["loss"]) for r in history.read(path)] == [(1, 1.0), (2, 20.0), (3, 3.0)]


@pytest.mark.parametrize("cut", [1, 2, 40, 150])
def test_a_half_written_last_line_hides_only_itself(tmp_path, cut):
    path = tmp_path / history.HISTORY
    history.append(path, record(1))
    history.append(path, record(2))
    path.write_bytes(path.read_bytes()[:-cut])
    expected = [1, 2] if cut == 1 else [1]  # without its newline alone a line is whole
    assert [r["epoch"] for r in history.read(path)] == expected
    for epoch in (2, 3):
        history.append(path, record(epoch))
    assert [r["epoch"] for r in history.read(path)] == [1, 2, 3]


def test_starts_tell_where_training_went_on(tmp_path):
    path = tmp_path / "run" / history.HISTORY
    assert history.read_starts(path) == []
    history.note_start(path, history.Start(0))
    history.note_start(path, history.Start(5, 3, 2, 1))
    with path.with_name(history.STARTS).open("a") as out:
        out.write("1 2 1 1")  # half written
    assert history.read_starts(path) == [history.Start(0), history.Start(5, 3, 2, 1)]


def test_whoever_watches_hears_of_a_resume_and_of_a_worker_that_died(tmp_path):
    path, said, stop = tmp_path / history.HISTORY, [], threading.Event()
    history.note_start(path, history.Start(0))  # of an earlier launch, which was killed
    watcher = threading.Thread(target=follow, args=(path, None, said.append, stop))
    watcher.start()
    time.sleep(0.1)
    history.note_start(path, history.Start(5, 0, 1, 1))
    history.note_start(path, history.Start(5, 7, 1, 1))
    history.note_start(path, history.Start(6, 0, 2, 1))
    stop.set()
    watcher.join()
    assert said == [
        "training resumed after epoch 5",
        "a worker died; training resumed after epoch 5, step 7 of the next",
        "a worker died; training resumed after epoch 6, with 1 worker instead of 2",
    ]
