"""House rules that a script can check."""

import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [p for folder in ("spikinghash", "stages", "pipelines") for p in sorted((ROOT / folder).rglob("*.py"))]
FORBIDDEN = re.compile(
    r"\b(import pickle|torch\.load\(|joblib|allow_pickle=True|yaml\.load\(|extractall\(|shell=True)"
    r"|(?<![.\w])(eval|exec)\("
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_unsafe_and_no_giant_file(path):
    text = path.read_text()
    assert not FORBIDDEN.search(text)
    assert len(text.splitlines()) <= 400
    assert path.name != "utils.py"


def test_the_median_file_is_short():
    assert median(len(p.read_text().splitlines()) for p in SOURCES) < 120
