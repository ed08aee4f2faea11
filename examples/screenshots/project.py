"""A project to take pictures of: a champion, a challenger that learned less, and recordings that have landed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

CODE = ("spikinghash", "stages", "pipelines")
MADE = ("data/frames", "data/models/default", "reports")
RECORDINGS, LANDING = Path("data/raw/digits/test"), Path("data/landing")
#: Epochs of the challenger; the recipe has 18.
FEW_EPOCHS = 6
LANDED = 40


def make_project(root: Path, folder: Path) -> None:
    """Fill `folder` from a checkout in which `make repro` has run; about two minutes.

    `FileNotFoundError` where that is not so, `CalledProcessError` where a step fails.
    """
    for name in CODE:
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in MADE:
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("nightly"))
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy2(root / name, folder)
    run(folder, "spikinghash", "registry", "add")
    run(folder, "spikinghash", "registry", "promote", "1", "--reason", "the first model")
    _train_less(folder / "params.yaml")
    for stage in ("train", "encode", "index", "evaluate", "report"):
        run(folder, f"stages.{stage}")
    run(folder, "spikinghash", "registry", "add")
    _land(root / RECORDINGS, folder / LANDING)


def run(folder: Path, module: str, *arguments: str) -> None:
    """One of our modules as the pipeline starts it."""
    subprocess.run(
        [sys.executable, "-E", "-P", folder / "spikinghash/start.py", module, *arguments], cwd=folder, check=True
    )


def _train_less(path: Path) -> None:
    yaml = YAML()
    params = yaml.load(path)
    params["train"]["epochs"] = FEW_EPOCHS
    yaml.dump(params, path)


def _land(source: Path, landing: Path) -> None:
    """Some recordings and one that is none, so that the night has something to refuse."""
    landing.mkdir(parents=True)
    for number, path in enumerate(sorted(source.rglob("*.bin"))[:: max(1, 539 // LANDED)]):
        shutil.copy2(path, landing / f"{number:03}-{path.name}")
    (landing / "broken.bin").write_bytes(b"no recording")
