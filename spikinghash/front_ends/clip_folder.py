"""A folder of CLIP as the package transformers saves it: config.json, model.safetensors, tokenizer.json."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

from spikinghash.errors import ConfigError
from spikinghash.files import sha256_file
from spikinghash.front_ends.tokenizer import open_tokenizer
from spikinghash.read_tensors import read_tensors

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
#: What transformers takes where a configuration is silent (`CLIPTextConfig`, `CLIPVisionConfig`).
_TEXT = {"num_hidden_layers": 12, "num_attention_heads": 8, "max_position_embeddings": 77}
_VISION = {"num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 224, "patch_size": 32}
_BOTH = {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}


class ClipFolder:
    """Sizes and weights of the `folder`; raises `ConfigError` for missing files and for another network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            config = json.loads((folder / CONFIG).read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot read {folder / CONFIG}: {' '.join(str(error).split())}") from None
        if not isinstance(config, dict) or config.get("model_type") != "clip":
            raise ConfigError(f"{folder / CONFIG}: this is no CLIP as transformers saves it")
        self.text: dict[str, Any] = {**_TEXT, **_BOTH, **config.get("text_config", {})}
        self.vision: dict[str, Any] = {**_VISION, **_BOTH, **config.get("vision_config", {})}
        for one in (self.text, self.vision):
            if one["hidden_act"] not in ("quick_gelu", "gelu"):
                raise ConfigError(f"{folder / CONFIG}: {one['hidden_act']} is no activation of CLIP")
        if not (folder / WEIGHTS).is_file():
            raise ConfigError(f"there is no {folder / WEIGHTS}; weights are read as safetensors alone")

    @cached_property
    def weights(self) -> dict[str, Any]:
        """All tensors by name, as float32."""
        found = read_tensors(self.folder / WEIGHTS)
        if not {"visual_projection.weight", "text_projection.weight"} <= set(found):
            raise ConfigError(f"{self.folder / WEIGHTS}: these are not the weights of a CLIPModel")
        return {name: value.float() for name, value in found.items()}

    @cached_property
    def tokenizer(self) -> Any:
        """Cuts a text into tokens, at most as many as there are places for, with the ends of a text."""
        path = self.folder / TOKENIZER
        if not path.is_file():
            raise ConfigError(f"there is no {path}, which cuts a text into tokens")
        without = "texts for CLIP need the package tokenizers; pip install tokenizers"
        return open_tokenizer(path, self.text["max_position_embeddings"], without)

    @property
    def digest(self) -> str:
        """SHA-256 of the digests of its files."""
        files = [self.folder / name for name in (CONFIG, WEIGHTS, TOKENIZER)]
        said = "".join(sha256_file(path) if path.is_file() else "-" for path in files)
        return hashlib.sha256(said.encode()).hexdigest()
