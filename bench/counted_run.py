"""The command line of benchmarks that take one number and a folder: `--json` and that number."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Found = dict[str, Any]


def counted_run(
    description: str, option: str, default: int, measure: Callable[[int, Path], Found], show: Callable[[Found], None]
) -> None:
    """Measure in a temporary folder and `show` what was found, or print it as one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(option, type=int, default=default, dest="count")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(asked.count, Path(folder))
    if asked.json:
        print(json.dumps(found))
    else:
        show(found)
