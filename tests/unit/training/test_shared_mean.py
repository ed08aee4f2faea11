"""The mean over workers: the same bits everywhere, by memory or by messages, whatever comes in between."""

from pathlib import Path

import numpy as np
import pytest
import torch
from spawned_workers import results_of

from spikinghash.errors import SpikinghashError
from spikinghash.training.averaging import average_buffers
from spikinghash.training.shared_mean import SharedMean

WORKERS, ROUNDS, SIZES = 3, 40, (7, 5000)


def values(rank, turn, size):
    return np.random.default_rng([rank, turn, size]).normal(size=size).astype(np.float32)


def missed(rank):
    """What the first worker is told when the others stay away."""
    average = SharedMean(patience_s=0.5)
    average(torch.ones(3))
    try:
        if rank == 0:
            average(torch.ones(3))
    except SpikinghashError as error:
        return str(error)
    finally:
        torch.distributed.barrier()
    return ""


def module(rank):
    made = torch.nn.BatchNorm2d(4)
    with torch.no_grad():
        made.running_mean.fill_(float(rank))
        made.num_batches_tracked.fill_(rank)
    return made


def worker(rank, port, folder, found):
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=WORKERS)
    average, seen = SharedMean(Path(folder)), []
    for turn in range(ROUNDS):
        for size in SIZES:
            own = torch.from_numpy(values(rank, turn, size))
            average(own)
            seen.append(own.numpy().copy())
    own = module(rank)
    average_buffers(own, average)
    left = [path.name for path in Path(folder).glob("*")]
    told = missed(rank) if Path(folder).is_dir() else ""
    found.put((rank, seen, own.running_mean.tolist(), own.num_batches_tracked.item(), left, told))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module", params=["memory", "messages"])
def seen(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory") if request.param == "memory" else Path("/nowhere")
    return results_of(worker, WORKERS, str(folder))


def test_all_workers_have_the_same_bits(seen):
    for _, values, *_ in seen[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(values, seen[0][1], strict=True))


def test_it_is_the_mean(seen):
    expected = (
        np.mean([values(rank, turn, size).astype(float) for rank in range(WORKERS)], 0)
        for turn in range(ROUNDS)
        for size in SIZES
    )
    for found, wanted in zip(seen[0][1], expected, strict=True):
        assert np.allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_buffers_are_averaged_and_counts_stay(seen):
    for rank, _, mean, count, *_ in seen:
        assert mean == [1.0] * 4
        assert count == rank


def test_no_file_is_left(seen):
    assert all(left == [] for *_, left, _ in seen)


@pytest.mark.parametrize("seen", ["memory"], indirect=True)
def test_a_worker_that_stays_away_is_named(seen):
    assert "step 2" in seen[0][-1]
    assert "run again" in seen[0][-1]
