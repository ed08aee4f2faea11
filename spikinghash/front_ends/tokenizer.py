"""A tokenizer as the package tokenizers keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spikinghash.errors import ConfigError


def open_tokenizer(path: Path, most: int, without: str) -> Any:
    """Cuts a text into at most `most` tokens; `ConfigError`, saying `without`, where the package is not installed."""
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise ConfigError(without) from None
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return tokenizer
