"""Progress: on a terminal a bar with rate, time left and what else there is to say, in a log a line now and then."""

import os
import pty
import re
import subprocess
import sys
import time

from spikinghash import progress

SCRIPT = """
import time
from spikinghash.progress import progress_bar
with progress_bar("encode") as update:
    for done in range(1, 21):
        update(done, 40, "3 truncated, 1 empty")
        time.sleep(0.02)
"""


def test_a_terminal_shows_a_bar_with_rate_time_left_and_refusals():
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    run = subprocess.Popen([sys.executable, "-c", SCRIPT], stderr=theirs, stdout=subprocess.PIPE, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert run.communicate()[0] == b""
    assert run.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert "20/40" in text
    assert re.search(r"\d+\.\d/s left 0:00:0\d 3 truncated, 1 empty", text)


def test_a_log_has_lines_with_rate_time_left_and_refusals(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_LOG_EVERY_S", 0.01)
    with progress.progress_bar("encode") as update:
        for done in range(4):
            update(10 * done, 100, "2 empty")
            time.sleep(0.02)
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"encode: 30/100, [\d,.]+/s, \d+ s left, 2 empty", lines[-2])
    assert lines[-1].startswith("encode: 30 done in ")
