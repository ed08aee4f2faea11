"""Model folders: `model.safetensors` (weights) and `model.json` (spec, digest, how it was trained).

Nothing is unpickled and loading runs no code. The digest names the model everywhere: in the code database, in the
index, in metrics.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.files import write_atomically, write_json
from spikinghash.kernels.digest import kernel_digest
from spikinghash.methods.method import build
from spikinghash.methods.old_spec import OLD_SCHEMA, spec_of_old
from spikinghash.methods.spec import ModelSpec
from spikinghash.schema import MODEL_SCHEMA_VERSION

WEIGHTS = "model.safetensors"
CARD = "model.json"
_MAX_BYTES = 4 << 30


@dataclass(frozen=True)
class LoadedModel:
    """A verified model: `method.network` is in inference mode; `digest` is 16 hex digits of SHA-256; `folder` is where
    it was read, and where files of front ends may lie beside it.
    """

    spec: ModelSpec
    method: nn.Module
    digest: str
    card: dict[str, Any]
    folder: Path | None = None


def save_model(folder: Path, spec: ModelSpec, network: nn.Module, training: dict[str, Any]) -> str:
    """Write the two files atomically and return the model digest. `training` is JSON-ready provenance."""
    weights = save({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()})
    content = spec.to_json()
    digest = model_digest(weights, content)
    card = {
        "schema": MODEL_SCHEMA_VERSION,
        "digest": digest,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "spec": content,
        "training": training,
        "kernels": kernel_digest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / WEIGHTS, weights)
    write_json(folder / CARD, card)
    return digest


def model_digest(weights: bytes, spec: dict[str, Any]) -> str:
    """16 hex digits that change with any weight or any part of the spec, as it stands in the card."""
    text = json.dumps(spec, sort_keys=True).encode()
    return hashlib.sha256(hashlib.sha256(weights).digest() + text).hexdigest()[:16]


def load_model(folder: Path) -> LoadedModel:
    """Read and verify a model folder; raises `BadCheckpoint` naming what is wrong and what to do."""
    card = _read_card(folder / CARD)
    path = folder / WEIGHTS
    if not path.is_file():
        raise BadCheckpoint(f"{path}: missing; a model folder needs {WEIGHTS} and {CARD}")
    if path.stat().st_size > _MAX_BYTES:
        raise BadCheckpoint(f"{path}: larger than {_MAX_BYTES} bytes; not one of our models")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != card.get("weights_sha256"):
        raise BadCheckpoint(f"{path}: contents do not match the digest in {CARD}; copy the model folder again")
    spec = (spec_of_old if card["schema"] == OLD_SCHEMA else ModelSpec.from_json)(card["spec"])
    digest = model_digest(data, card["spec"])
    if card.get("digest") != digest:
        raise BadCheckpoint(f"{folder / CARD}: spec does not match its digest; copy the model folder again")
    tensors = _tensors(data, path)
    # on no memory first: a spec can ask for any size, the file at hand bounds what it may get
    with torch.device("meta"):
        plan = _build(spec, folder)
    _check(plan.network, tensors, path)  # type: ignore[arg-type]
    # first weights are drawn and thrown away: the caller's random numbers go on as if nobody had
    with torch.random.fork_rng(devices=[]):
        method = _build(spec, folder)
    method.network.load_state_dict(tensors)  # type: ignore[union-attr]
    method.eval().requires_grad_(False)
    if torch.cuda.is_available():
        # exact sums (layers/exact_weights.py) need all 24 bits of float32
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        method.cuda()
    return LoadedModel(spec, method, digest, card, folder)


def _build(spec: ModelSpec, folder: Path) -> nn.Module:
    try:
        return build(spec)
    except ConfigError as error:
        raise BadCheckpoint(f"{folder / CARD}: {error}") from None


def _read_card(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise BadCheckpoint(f"{path}: no model there; train one with `dvc repro` or pass --model FOLDER")
    try:
        card = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadCheckpoint(f"{path}: not JSON ({error}); copy the model folder again") from None
    if not isinstance(card, dict) or not isinstance(card.get("spec"), dict):
        raise BadCheckpoint(f"{path}: not a model description")
    if card.get("schema") not in (MODEL_SCHEMA_VERSION, OLD_SCHEMA):
        raise BadCheckpoint(f"{path}: schema {card.get('schema')!r}, this version reads {MODEL_SCHEMA_VERSION}")
    return card


def _tensors(data: bytes, path: Path) -> dict[str, Tensor]:
    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise BadCheckpoint(f"{path}: not a safetensors file ({error})") from None


def _check(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    expected = network.state_dict()
    wrong = sorted(set(expected) ^ set(tensors))
    if wrong:
        raise BadCheckpoint(f"{path}: tensors missing or unexpected: {', '.join(wrong[:3])}")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise BadCheckpoint(
                f"{path}: tensor {name} is {tuple(tensor.shape)} {tensor.dtype}, "
                f"expected {tuple(expected[name].shape)} {expected[name].dtype}"
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise BadCheckpoint(f"{path}: tensor {name} has values that are not finite")
