"""On what machine, with what versions, numbers were made."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

#: Packages whose arithmetic the numbers come from.
_PACKAGES = ("numpy", "numba", "torch", "spikingjelly")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, GPU and versions, JSON-ready; no names of hosts or users."""
    return {
        "processor": _processor(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(), "packages": {name: version(name) for name in _PACKAGES},
    }  # fmt: skip


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
