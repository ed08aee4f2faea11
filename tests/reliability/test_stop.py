"""SIGTERM and Ctrl-C: within 5 s what is encoded is committed, the report says what is pending, the exit code is 75."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import hostile
import pytest
import warm
from hostile_worker import COMMAND

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.signals import Stop, Stopped, stop_on_signals
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.training.checkpoint import load_model

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": ""}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    warm.recordings(folder, 8)
    return warm.tiny_model(folder / "model", sorted(folder.glob("*.bin")))


@pytest.mark.slow
def test_random_stops_lose_nothing(tmp_path):
    command = [sys.executable, Path(__file__).with_name("stop.py"), tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["stopped"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_can_be_stopped_while_it_starts(tmp_path, model, number):
    warm.recordings(tmp_path, 3)
    command = [sys.executable, "-m", "spikinghash", "encode", tmp_path, "--db", tmp_path / "db", "--model", model]
    run = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    while not (int(Path(f"/proc/{run.pid}/status").read_text().split("SigCgt:")[1].split()[0], 16) >> 14) & 1:
        assert run.poll() is None
        time.sleep(0.01)
    asked = time.monotonic()
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert time.monotonic() - asked < 5
    assert run.returncode == 75, err
    report = json.loads(out)
    assert (report["found"], report["pending"], report["committed"]) == (3, 3, 0)
    assert b"3 inputs pending; run the same command again" in err


def test_a_decoder_that_hangs_does_not_hold_up_a_stop(tmp_path, model):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    warm.recordings(inbox, 3)
    (inbox / "001z.bin").write_bytes(b"hang" * 20)
    (inbox / "900.zip").write_bytes(hostile.archives()["bomb.zip"][0])
    database = CodeDatabase.create_or_open(tmp_path / "db")
    encoder = Encoder(load_model(model), batch=1, workers=1)
    asked = []

    def ask_when_it_hangs():
        time.sleep(1)
        asked.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    def progress(done, *_):
        if done == 3:
            threading.Thread(target=ask_when_it_hangs).start()

    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals() as stop, IsolatedDecoder(command=COMMAND) as decoder:
        report = encode_recordings(
            discover([inbox]), encoder, database, decode=decoder.stream, progress=progress, stop=stop
        )
    assert time.monotonic() - asked[0] < 5
    content = report.to_json()
    # 000 and 001 are done, 001z was interrupted, 002 and the archive were never looked at
    assert {k: content[k] for k in ("found", "committed", "pending", "quarantined")} == {
        "found": 5, "committed": 2, "pending": 3, "quarantined": 0,
    }  # fmt: skip
    assert database.rows().num_rows == 2
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_stop_interrupts_only_what_may_be_lost():
    stop = Stop()
    stop.ask()
    stop.ask()  # twice, as `timeout` does
    with pytest.raises(Stopped):
        stop.check()
    with pytest.raises(Stopped), stop.interruptible():
        raise AssertionError("never gets here")
    busy = Stop()
    with pytest.raises(Stopped), busy.interruptible():
        busy.ask()
    with pytest.raises(Stopped):
        busy.check()


def test_elsewhere_than_in_the_main_thread_signals_are_left_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work():
        with stop_on_signals() as stop:
            seen.append((signal.getsignal(signal.SIGTERM), stop.asked))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, False)]
