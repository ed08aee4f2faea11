"""What MLflow's `pyfunc` loads a registered model by: codes of frames from our own two files, nothing unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.encoder import Encoder
from spikinghash.training.checkpoint import load_model


class Hashing:
    """A model as MLflow's callers know one."""

    def __init__(self, folder: Path) -> None:
        self._encoder = Encoder(load_model(folder))

    def predict(self, frames: NDArray[Any], _params: dict[str, Any] | None = None) -> NDArray[np.uint8]:
        """Samples [N, ...] as a store has them -> packed codes uint8 [N, K/8], bit 0 the most significant of byte 0."""
        return self._encoder.encode(frames)[0]


def _load_pyfunc(path: str) -> Hashing:
    """MLflow's name for it; errors of `load_model`."""
    return Hashing(Path(path))
