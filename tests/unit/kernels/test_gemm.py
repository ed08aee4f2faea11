"""Products of matrices in cache, of float32 and of pairs of int16, with many vector registers and with few."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from spikinghash.kernels.gemm import product, rows_unit
from spikinghash.kernels.simd.gemm import WIDE

#: The same tests on a processor that has AVX2 and not AVX-512.
NARROW = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+lzcnt,+popcnt"}
WIDTHS = [16, 32, 48, 64, 80, 96, 112, 176]


@pytest.mark.parametrize("D", WIDTHS)
def test_of_numbers(D):
    rng = np.random.default_rng(0)
    R = 2 * rows_unit(D)
    a, b = rng.integers(-9, 9, (R, 10)).astype(np.float32), rng.integers(-9, 9, (10, D)).astype(np.float32)
    out = np.empty((R, D), np.float32)
    product(a, b, out, R)
    assert np.array_equal(out, a @ b)


@pytest.mark.parametrize("D", WIDTHS)
def test_of_pairs(D):
    """Products and sums up to the ends of their range, which go around."""
    rng = np.random.default_rng(0)
    R = 2 * rows_unit(D)
    a, b = (rng.integers(-(2**15), 2**15, shape).astype(np.int16) for shape in ((R, 20), (20, D)))
    pairs = np.ascontiguousarray(b.reshape(10, 2, D).transpose(0, 2, 1)).reshape(10, 2 * D).view(np.int32)
    out = np.empty((R, D), np.int32)
    product(a.view(np.int32), pairs, out, R)
    assert np.array_equal(out, (a.astype(np.int64) @ b.astype(np.int64)).astype(np.int32))


@pytest.mark.skipif(not WIDE or platform.machine() != "x86_64", reason="the processor itself has few registers")
def test_with_few_registers(tmp_path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not few_registers", __file__]
    env = os.environ | NARROW | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{2 * len(WIDTHS)} passed, 1 deselected" in done.stdout
