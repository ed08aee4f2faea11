"""`kill -9` of two nights at once: nothing is lost, doubled or unreadable. `KILLS=300` for the full campaign."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("KILLS", "6"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 5 * KILLS)]


def test_killed_runs_end_as_an_undisturbed_one(tmp_path):
    command = [sys.executable, Path(__file__).with_name("kill.py"), tmp_path, "--kills", str(KILLS)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == [], found
    assert found["kills"] >= KILLS
    assert found["different_codes"] > 5  # or equal digests would say little
    assert found["queries"] > 0
