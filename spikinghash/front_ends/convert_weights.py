"""A child process that turns weights in PyTorch's pickled form into safetensors, and does nothing else with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from spikinghash.errors import ConfigError
from spikinghash.files import publish
from spikinghash.isolation import NEUTRAL_FOLDER, isolated_command

SECONDS = 120.0


def convert(source: Path, target: Path) -> None:
    """Write the tensors of the pickle `source` to `target`, in a child that unpickles nothing but tensors.

    Same tensors, same bytes. Raises `ConfigError` for anything else in the file.
    """
    with publish(target) as draft:
        command = isolated_command(
            "spikinghash.front_ends.convert_weights", str(source.resolve()), str(draft.resolve())
        )
        try:
            done = subprocess.run(
                command, cwd=NEUTRAL_FOLDER, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ConfigError(f"{source}: was not read in {SECONDS:.0f} s; it is no file of weights") from None
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()[-1:] or ["it died"]
            raise ConfigError(f"{source}: no weights that can be read: {said[0]}")


def main() -> None:
    """Read the file of the first argument, write that of the second."""
    import torch
    from safetensors.torch import save_file

    weights = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
    save_file({name: weights[name].contiguous() for name in sorted(weights)}, sys.argv[2])


if __name__ == "__main__":
    main()
