"""Encoders, compaction, vacuum, index builds and searches killed while they share a database. `KILLS=200` for all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: `make reliability` asks for 300 kills of encoders; 200 do here, which are kills of six processes.
KILLS = min(200, int(os.environ.get("KILLS", "10")))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240 + 5 * KILLS)]


def test_nothing_is_lost_doubled_or_answered_wrongly(tmp_path):
    command = [sys.executable, Path(__file__).with_name("five_kinds.py"), tmp_path, "--kills", str(KILLS)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == [], found
    assert found["kills"] >= KILLS
    assert found["rounds"]["search"] > 0
    if KILLS > 50:
        assert set(found["by_kind"]) == {"encode", "compact", "vacuum", "index", "search"}
        assert all(found["rounds"].get(kind, 0) > 0 for kind in ("encode-0", "compact", "vacuum", "index"))
