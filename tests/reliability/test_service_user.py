"""A service user: the program's folder is read-only, there is no home folder, and everything works all the same."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny_model import recording, save_tiny

from spikinghash.tracking.promotion import promote
from spikinghash.tracking.registry import register
from spikinghash.tracking.run import log_run

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
NIGHT = """
import json
from pipelines.nightly import nightly
from prefect.testing.utilities import prefect_test_harness
with prefect_test_harness(server_startup_timeout=120):
    done = nightly(landing="landing", db="night", reports="reports")
print(json.dumps(done))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A copy of the program in which nothing can be cached, and a working folder with a model and a champion."""
    folder = tmp_path_factory.mktemp("service")
    program, work = folder / "program", folder / "work"
    for package in ("spikinghash", "pipelines", "stages"):
        shutil.copytree(ROOT / package, program / package, ignore=shutil.ignore_patterns("__pycache__"))
    for inner in [p for p in program.rglob("*") if p.is_dir()]:
        # a file where the folder of caches would be: not writable for root either
        (inner / "__pycache__").write_bytes(b"")
    (work / "landing").mkdir(parents=True)
    for seed in range(3):
        (work / "landing" / f"{seed}.bin").write_bytes(recording(seed, 900))
    digest = save_tiny(work / "model", 1)
    uri = f"sqlite:///{work / 'mlflow.db'}"
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["tracking"]["uri"] = uri
    (work / "params.yaml").write_text(yaml.safe_dump(params))
    run_id = log_run(
        uri, "spikinghash", name="tiny", params={}, metrics={"map": 0.5}, history=[],
        tags={"model_digest": digest}, folders={"model": work / "model"},
    )  # fmt: skip
    promote(uri, "spikinghash", int(register(uri, "spikinghash", run_id, "model")), "the only one")
    return program, work


def run(place, *arguments, program=None):
    code, work = place
    start = [sys.executable, "-E", "-P", code / "spikinghash" / "start.py"]
    command = [*start, "spikinghash", *arguments] if program is None else [sys.executable, "-P", "-c", program]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG", "PYTHON"))}
    # a folder that nobody can make
    environment |= {"HOME": "/proc/nobody", "PYTHONPATH": str(code), "PREFECT_HOME": str(work / "prefect")}
    return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.filterwarnings("ignore")
def test_encode_search_and_inspect_work_and_one_line_says_where_kernels_are(place):
    first = run(place, "encode", "landing", "--db", "db", "--model", "model", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["committed"] == 3
    assert [line for line in first.stderr.splitlines() if "compiled kernels are kept in" in line]
    assert first.stderr.count("spikinghash: ") == 1
    found = run(place, "search", "landing/0.bin", "--db", "db", "--model", "model", "--json")
    assert found.returncode == 0, found.stderr
    assert len(json.loads(found.stdout)["results"]) == 2
    assert run(place, "inspect", "landing/0.bin").returncode == 0


@pytest.mark.filterwarnings("ignore")
def test_a_night_works(place):
    done = run(place, program=NIGHT)
    assert done.returncode == 0, done.stderr[-3000:]
    night = json.loads(done.stdout.splitlines()[-1])
    assert (night["encode"]["committed"], night["fsck"]["ok"]) == (3, True)


@pytest.mark.filterwarnings("ignore")
def test_a_folder_of_somebody_else_is_not_trusted(tmp_path):
    program = "import os, spikinghash; print(os.environ['NUMBA_CACHE_DIR'])"
    (tmp_path / f"spikinghash-kernels-{os.getuid()}").mkdir()
    (tmp_path / f"spikinghash-kernels-{os.getuid()}").chmod(0o777)
    environment = os.environ | {"NUMBA_CACHE_DIR": "/proc/nobody", "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    chosen = Path(done.stdout.strip())
    assert chosen.parent == tmp_path
    assert chosen.name != f"spikinghash-kernels-{os.getuid()}"
    assert chosen.stat().st_mode & 0o077 == 0
