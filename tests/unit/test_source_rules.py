"""House rules that a script can check."""

import ast
import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [p for folder in ("spikinghash", "stages", "pipelines") for p in sorted((ROOT / folder).rglob("*.py"))]
#: Weights of others are unpickled as tensors alone, in a child that does nothing else: `front_ends/convert_weights.py`.
FORBIDDEN = re.compile(
    r"\b(import pickle|torch\.load\((?!.*weights_only=True)|joblib|allow_pickle=True|yaml\.load\(|extractall\("
    r"|shell=True)"
    r"|(?<![.\w])(eval|exec)\("
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_unsafe_and_no_giant_file(path):
    text = path.read_text()
    assert not FORBIDDEN.search(text)
    assert len(text.splitlines()) <= 300
    assert path.name != "utils.py"


def test_the_median_file_is_short():
    assert median(len(p.read_text().splitlines()) for p in SOURCES) < 120


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if "\n@kernel" in p.read_text()], ids=lambda p: str(p.relative_to(ROOT))
)
def test_kernels_use_what_lies_beside_them_and_in_folders_of_kernels_only(path):
    """The cache of compiled kernels knows those sources and no others; constants are compiled in too."""
    here = ".".join(path.parent.relative_to(ROOT).parts)
    tree = ast.parse(path.read_text())
    homes = {
        name.asname or name.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("spikinghash")
        for name in node.names
    }
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]:
        for name in {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} & set(homes):
            home = homes[name]
            assert "kernels" in home.split(".") or home.rpartition(".")[0] == here, f"{name} of {home}"
