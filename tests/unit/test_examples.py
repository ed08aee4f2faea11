"""The examples run as they stand, and the README shows them as they are."""

import re
import subprocess
import sys
from pathlib import Path

from tiny_model import recording, save_tiny

ROOT = Path(__file__).parents[2]
FIVE_LINES = ROOT / "examples/five_lines.py"


def test_the_readme_shows_the_five_lines():
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert FIVE_LINES.read_text() in blocks
    assert len([line for line in FIVE_LINES.read_text().splitlines() if line]) == 5


def test_the_five_lines_run_where_the_pipeline_has_run(tmp_path):
    """In a project with a model and recordings at the places that `make repro` fills."""
    save_tiny(tmp_path / "data/models/default", 3)
    for number, name in enumerate(("train/3/1.bin", "train/4/2.bin", "train/4/3.bin", "test/3/0060.bin")):
        path = tmp_path / "data/raw/digits" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recording(number))
    done = subprocess.run(
        [sys.executable, "-W", "error", FIVE_LINES], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "data/raw/digits/test/3/0060.bin:"
    assert sorted(line.split()[2] for line in lines[1:]) == [
        f"data/raw/digits/train/{name}" for name in ("3/1.bin", "4/2.bin", "4/3.bin")
    ]
