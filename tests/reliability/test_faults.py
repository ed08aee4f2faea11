"""Failing writes, fsyncs, renames, opens, commits: exit code 75, and the next run completes. `FAULTS=all` for each."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ALL = os.environ.get("FAULTS") == "all"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"] if ALL else ["ENOSPC"])
def test_every_fault_is_temporary(tmp_path, error):
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "PYTHONSAFEPATH": ""}
    compiler = shutil.which("cc")
    if compiler:
        shim = tmp_path / "fault_shim.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, HERE / "fault_shim.c", "-ldl"], check=True)
        environment["LD_PRELOAD"] = str(shim)
    command = [sys.executable, HERE / "faults.py", tmp_path, "--error", error, "--every", "1" if ALL else "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert "limit" in found["full"]
    if compiler:
        assert all(found["tried"][kind] >= 5 for kind in ("write", "fsync", "rename", "open"))
