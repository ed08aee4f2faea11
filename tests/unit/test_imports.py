"""Every module imports on its own, and none pulls in what it must not."""

import pkgutil
import subprocess
import sys

import spikinghash


def test_every_module_imports_in_a_clean_interpreter_without_torchvision():
    names = [m.name for m in pkgutil.walk_packages(spikinghash.__path__, "spikinghash.") if "__main__" not in m.name]
    assert len(names) > 80
    program = (
        f"import importlib, sys\nfor n in {names!r}: importlib.import_module(n)\nprint('torchvision' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"


def test_the_command_line_starts_without_heavy_libraries():
    program = "import sys, spikinghash.cli; print([m for m in ('torch', 'ray', 'mlflow', 'faiss') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
