"""Every page below docs/extend has one complete example, which runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs/extend").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def test_there_are_pages():
    assert {"method.md", "loss.md", "format.md", "dataset.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_example_of_a_page_runs(page, tmp_path):
    blocks = BLOCK.findall(page.read_text())
    assert len(blocks) == 1, "one example a page, whole"
    assert "assert " in blocks[0], "an example shows that it holds"
    (tmp_path / "example.py").write_text(blocks[0])
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "example.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240,
        # several threads wait for each other where tests run side by side
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
