"""Run one of our modules with our packages, and nothing else that lies beside them: `python -E -P start.py MODULE`.

A process started as `python -m` looks for every module in the current directory first, so a `json.py` among the
recordings would run. Here `-P` leaves that directory out, `-E` leaves out what PYTHONPATH names, and our packages are
found beside this file, not by a search of its folder. Imports the standard library alone.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

#: The folder that holds our packages: a checkout, or site-packages.
ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("spikinghash", "stages", "pipelines")


class OurPackages:
    """A finder (`sys.meta_path`) of the packages in `ROOT` by name; it never looks at what else lies there."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of one of our packages, None for everything else."""
        return PathFinder.find_spec(name, [str(ROOT)], target) if path is None and name in PACKAGES else None


def main() -> None:
    """Run the module that the first argument names, as `python -m` would."""
    sys.meta_path.insert(0, OurPackages)
    module = sys.argv.pop(1)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
