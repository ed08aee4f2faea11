"""A second run waits or is told who holds the lock; a killed holder holds nothing."""

import os
import signal
import subprocess
import sys
import time

import pytest

from spikinghash.errors import Temporary
from spikinghash.run_lock import run_lock

HOLD = """
import sys, time
from pathlib import Path
from spikinghash.run_lock import run_lock
with run_lock(Path(sys.argv[1]), "retrain"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(folder, seconds):
    command = [sys.executable, "-P", "-c", HOLD, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_holds_it_and_a_kill_frees_it(tmp_path):
    holder = hold(tmp_path, 60)
    try:
        said = rf"another retrain is running here, process {holder.pid} on .* since 20"
        with pytest.raises(Temporary, match=said), run_lock(tmp_path, "retrain"):
            pass
        with run_lock(tmp_path, "another kind"):
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    with run_lock(tmp_path, "retrain"):
        pass


def test_waiting_ends_when_the_holder_does(tmp_path):
    holder = hold(tmp_path, 1.5)
    started = time.monotonic()
    with run_lock(tmp_path, "retrain", wait_s=60):
        assert time.monotonic() - started > 0.5
    holder.communicate()


def test_it_is_free_after_an_error(tmp_path):
    with pytest.raises(KeyError), run_lock(tmp_path, "retrain"):
        raise KeyError
    with run_lock(tmp_path, "retrain"):
        pass
