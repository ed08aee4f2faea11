"""The cache of compiled kernels: an edit of a file that kernels share changes what its callers compute."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikinghash.kernels.digest import kernel_digest

ROOT = Path(__file__).parents[3]
#: A kernel that calls one of another file, and from which file it came.
CALLER = """
import numpy as np
from spikinghash.kernels import norm
out = np.empty((2, 3), np.float32)
norm.affine(np.ones((2, 3), np.float32), np.full(3, 2, np.float32), np.ones(3, np.float32), out)
print(norm.__file__, out[0, 0], sum(norm.affine.stats.cache_hits.values()), norm.affine.stats.cache_path)
"""
#: A kernel outside the kernel package, which knows a constant of a neighbour and one of the validation.
DECODER = """
import numpy as np
from spikinghash.events import evt3_kernel
now = evt3_kernel.later(5000, 3500)
print(evt3_kernel.__file__, now, sum(evt3_kernel.later.stats.cache_hits.values()), evt3_kernel.later.stats.cache_path)
"""
DIGEST = "from spikinghash.kernels.digest import kernel_digest; print(kernel_digest())"


@pytest.fixture
def program(tmp_path):
    """A copy of the package that keeps its compiled kernels in a folder of its own."""
    folder = tmp_path / "program"
    shutil.copytree(ROOT / "spikinghash", folder / "spikinghash", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(program, script, **settings):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG", "PYTHON"))}
    environment |= {"PYTHONPATH": str(program), "NUMBA_CACHE_DIR": str(program.parent / "cache")} | settings
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env=environment, cwd=program, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.split()


def call(program, script=CALLER, **settings):
    file, number, hits, folder = run(program, script, **settings)
    assert Path(file).is_relative_to(program)
    return float(number), int(hits), Path(folder)


def edit(program, name, before, after, package="kernels"):
    path = program / "spikinghash" / package / name
    assert path.read_text().count(before) == 1
    path.write_text(path.read_text().replace(before, after))


def test_an_edit_of_a_shared_file_changes_its_callers(program):
    assert call(program)[:2] == (3.0, 0)
    assert call(program)[:2] == (3.0, 1)
    # the values that `affine` spreads over a block: 1 * 4 + 2 instead of 1 * 2 + 1
    edit(program, "lif.py", "out[i] = values[i % values.size]", "out[i] = values[i % values.size] * 2")
    assert call(program)[:2] == (6.0, 0)


def test_a_copy_elsewhere_finds_what_was_compiled(program):
    first = call(program)
    other = program.parent / "copy"
    shutil.copytree(program, other, ignore=shutil.ignore_patterns("__pycache__"))
    assert call(other) == (3.0, 1, first[2])
    edit(other, "lif.py", "out[i] = values[i % values.size]", "out[i] = values[i % values.size] * 2")
    assert call(other)[:2] == (6.0, 0)
    assert call(program)[:2] == (3.0, 1)


def test_an_edit_beside_a_kernel_of_another_package_changes_it(program):
    assert call(program, DECODER)[:2] == (3500.0, 0)
    assert call(program, DECODER)[:2] == (3500.0, 1)
    edit(program, "rules.py", "MAX_LATE_US = 1_000", "MAX_LATE_US = 2_000", "events")
    assert call(program, DECODER)[:2] == (5000.0, 0)


def test_the_digest_is_of_names_and_contents(program):
    assert run(program, DIGEST) == [kernel_digest()]
    (program / "spikinghash" / "kernels" / "haar.py").rename(program / "spikinghash" / "kernels" / "wavelet.py")
    renamed = run(program, DIGEST)
    edit(program, "wavelet.py", "import numpy as np", "import numpy  as np")
    assert len({kernel_digest(), *renamed, *run(program, DIGEST)}) == 3


def test_folders_of_kernels_that_nobody_used_for_30_days_go(program):
    cache = program.parent / "cache"
    ages = {"kernels-0123456789abcdef": 31, "kernels-0123456789abcdee": 29, "of-somebody-else": 99}
    for name, days in ages.items():
        (cache / name / "norm").mkdir(parents=True)
        os.utime(cache / name, (time.time() - days * 24 * 3600,) * 2)
    folder = call(program)[2]
    ours = cache / f"kernels-{kernel_digest()}"
    assert folder.is_relative_to(ours)
    assert {p.name for p in cache.iterdir()} == {ours.name, "kernels-0123456789abcdee", "of-somebody-else"}


def test_compiled_kernels_lie_with_the_user_and_else_beside_the_code(program, tmp_path):
    theirs = call(program, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path / "xdg"))[2]
    assert theirs.is_relative_to(tmp_path / "xdg" / "spikinghash" / f"kernels-{kernel_digest()}")
    assert not [*program.rglob("*.nbi")]
    beside = call(program, NUMBA_CACHE_DIR="", XDG_CACHE_HOME="/proc/nobody")[2]
    assert beside.is_relative_to(program / "spikinghash" / "kernels" / "__pycache__")
