"""A copy of the project in a temporary folder, small enough to run the whole pipeline in a test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def copy_project(target, change, scm=False):
    """Copy code and settings, let `change(params)` edit the settings, and make it a DVC project."""
    for name in ("spikinghash", "stages", "pipelines"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy2(ROOT / "dvc.yaml", target)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    change(params)
    (target / "params.yaml").write_text(yaml.safe_dump(params))
    if scm:
        for arguments in (["init", "-q"], ["config", "user.email", "a@example.org"], ["config", "user.name", "a"]):
            subprocess.run(["git", *arguments], cwd=target, check=True)
    dvc(target, "init", "-q", *([] if scm else ["--no-scm"]))
    # after `init`, which writes one of its own: compiled kernels in __pycache__ are no change of code
    shutil.copy2(ROOT / ".dvcignore", target)
    return target


def closed_form(params):
    """Settings of a project whose model takes a second to learn, and passes the gate."""
    params["synthesize"]["limit"] = 240
    params["model"] |= {"method": "itq", "bits": 16}
    params["train"] |= {"epochs": 1, "select": "last", "workers": 1}
    params["evaluate"]["k"] = [1, 10]
    params["report"] = {"queries": 3, "neighbours": 4}
    # four times the bits are nearly four times the products; the other bounds are those of the project
    params["gate"] |= {"energy_ratio": 4.5, "drift": 0.5}
    params["schedule"] |= {"nightly": None, "retrain": None}


def dvc(project, *arguments):
    return subprocess.run(
        [sys.executable, "-P", "-m", "dvc", *arguments],
        cwd=project, capture_output=True, text=True, check=False, timeout=400,
        # stages say `python`: the one that runs the tests
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip


def stages_run(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage '")]


def spikinghash(project, *arguments):
    return subprocess.run(
        [sys.executable, "-E", "-P", project / "spikinghash/start.py", "spikinghash", *map(str, arguments)],
        cwd=project, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
