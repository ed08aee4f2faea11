"""What each rank has of its own: running statistics, and generators of random numbers.

`rank-<n>.safetensors` beside the state that all share: `buffer.<name>`, `draws` (of augmentation) and `torch` (of
layers such as dropout).
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from spikinghash.data.order import Ranks
from spikinghash.errors import BadCheckpoint
from spikinghash.files import write_atomically
from spikinghash.training.average_buffers import averaged_buffers

_BUFFER = "buffer."


def rank_file(folder: Path, rank: int) -> Path:
    """Where the state of a rank is."""
    return folder / f"rank-{rank}.safetensors"


def save_rank(folder: Path, rank: int, method: nn.Module, draws: torch.Generator) -> None:
    """Write the state of one rank."""
    tensors = {f"{_BUFFER}{k}": v.detach().cpu().clone().contiguous() for k, v in averaged_buffers(method).items()}
    tensors |= {"draws": draws.get_state(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    write_atomically(rank_file(folder, rank), save(tensors))


def load_rank(folder: Path, ranks: Ranks, saved_world: int, method: nn.Module, draws: torch.Generator) -> None:
    """Go on where `save_rank` was.

    With another number of ranks than `saved_world` each gets the mean of the running statistics, as after an epoch,
    and draws of its own that none had before. Raises `BadCheckpoint` where the files do not fit.
    """
    same = saved_world == ranks.world
    try:
        saved = [load(rank_file(folder, rank).read_bytes()) for rank in ([ranks.rank] if same else range(saved_world))]
        with torch.no_grad():
            for name, buffer in averaged_buffers(method).items():
                buffer.copy_(torch.stack([one[f"{_BUFFER}{name}"] for one in saved]).mean(0))
        if same:
            draws.set_state(saved[0]["draws"])
            torch.set_rng_state(saved[0]["torch"])
            if torch.cuda.is_available() and "cuda" in saved[0]:
                torch.cuda.set_rng_state(saved[0]["cuda"])
        else:
            draws.manual_seed(_fresh_seed(saved, ranks.rank))
    except (OSError, ValueError, LookupError, RuntimeError, SafetensorError) as error:
        why = " ".join(str(error).split())[:300]
        raise BadCheckpoint(f"{folder}: cannot resume rank {ranks.rank} from this state ({why}); delete it") from error


def _fresh_seed(saved: list[dict[str, Tensor]], rank: int) -> int:
    """A seed that follows from the saved generators and the rank."""
    generator = torch.Generator()
    generator.set_state(saved[0]["draws"])
    return int(torch.randint(2**62, (rank + 1,), generator=generator)[rank])
