"""`encode` beside a slow copy: the half that is there is not hashed, and the account says that it is pending."""

import json
import subprocess
import sys
import threading
import time

import hostile
import pytest
import warm

from spikinghash.codes.database import CodeDatabase

pytestmark = pytest.mark.timeout(120)


def encode(root, *options):
    command = [sys.executable, "-m", "spikinghash", "encode", root / "landing", "--db", root / "db"]
    command += ["--model", root / "model", "--json", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_half_copied_recording_never_becomes_one_of_its_own(tmp_path):
    landing = tmp_path / "landing"
    landing.mkdir()
    for number in range(3):
        (landing / f"{number}.bin").write_bytes(hostile.good(seed=number))
    warm.tiny_model(tmp_path / "model", sorted(landing.glob("*.bin")))
    whole, copied = hostile.good(seed=9), threading.Event()

    def copy():
        # whole records at a time, so that every part is a good recording too
        with (landing / "slow.bin").open("wb", buffering=0) as stream:
            at = 0
            while not copied.is_set() and at < len(whole) - 50:
                stream.write(whole[at : at + 5])
                at += 5
                time.sleep(0.2)
            stream.write(whole[at:])

    writer = threading.Thread(target=copy)
    writer.start()
    try:
        first = encode(tmp_path)
    finally:
        copied.set()
        writer.join()
    report = json.loads(first.stdout)
    assert (first.returncode, report["found"], report["committed"], report["pending"]) == (75, 4, 3, 1), first.stderr
    assert first.stderr.count("slow.bin") == 1
    second = encode(tmp_path)
    report = json.loads(second.stdout)
    assert (second.returncode, report["committed"], report["skipped"], report["pending"]) == (0, 1, 3, 0), second.stderr
    assert CodeDatabase.open(tmp_path / "db").rows().num_rows == 4


def test_without_a_settle_time_every_file_is_taken_at_once(tmp_path):
    landing = tmp_path / "landing"
    landing.mkdir()
    (landing / "0.bin").write_bytes(hostile.good())
    warm.tiny_model(tmp_path / "model", [landing / "0.bin"])
    done = encode(tmp_path, "--settle-s", "0")
    assert (done.returncode, json.loads(done.stdout)["committed"]) == (0, 1), done.stderr
