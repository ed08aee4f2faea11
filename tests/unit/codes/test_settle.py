"""A file that somebody is still copying is left for later; one that was just copied is taken after a moment."""

import os
import threading
import time

import pytest

from spikinghash.codes.settle import settle
from spikinghash.codes.signals import Stop, Stopped


@pytest.fixture
def landing(tmp_path):
    for name, age_s in (("old.bin", 60), ("new.bin", 0), ("ahead.bin", -86_400)):
        (tmp_path / name).write_bytes(b"12345")
        os.utime(tmp_path / name, times=(time.time() - age_s,) * 2)
    return tmp_path


def grow(path, for_s):
    """Write to a file for a while, as a slow copy does."""

    def write():
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            with path.open("ab") as stream:
                stream.write(b"67890")
            time.sleep(0.05)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_what_grows_is_left_and_all_else_is_taken_whatever_its_clock_says(landing):
    paths = sorted([*landing.iterdir(), landing / "growing.bin", landing / "missing.bin"])
    writer = grow(landing / "growing.bin", 1.2)
    while not (landing / "growing.bin").exists():
        time.sleep(0.01)
    ready, growing = settle(paths, 0.6)
    writer.join()
    assert growing == [landing / "growing.bin"]
    assert ready == [path for path in paths if path not in growing]
    time.sleep(0.1)
    assert settle(paths, 0.6) == (paths, [])


def test_old_files_are_not_waited_for(landing):
    started = time.monotonic()
    assert settle([landing / "old.bin", landing], 30) == ([landing / "old.bin", landing], [])
    assert settle(landing.iterdir(), 0)[1] == []
    assert time.monotonic() - started < 1


def test_a_signal_ends_the_wait(landing):
    stop = Stop()
    stop.asked = True
    with pytest.raises(Stopped):
        settle([landing / "new.bin"], 30, stop)
