"""Two ranks under DDP that stop within an epoch: both go on to the same bits, one alone goes on too."""

import contextlib

import pytest
import torch
from one_thread import one_thread  # noqa: F401  a fixture
from spawned_workers import results_of
from tiny_training import awake, data, method, recipe
from torch.nn.parallel import DistributedDataParallel

from spikinghash.data.order import ALONE, Ranks
from spikinghash.errors import BadCheckpoint
from spikinghash.training.augment import Augmentation
from spikinghash.training.average_buffers import average_buffers
from spikinghash.training.loop import run
from spikinghash.training.rank_state import load_rank, rank_file, save_rank

RECIPE = recipe(epochs=2, checkpoint_steps=1, augmentation=Augmentation(2.0, 10.0, 0.1, 0.2))
#: The state is of epoch 2, step 2.
STOP = 1, 2


def train(m, ranks, resume=None, folder=None):
    """Train to the end, or to the step `STOP` where a `folder` takes the state."""

    class Stopped(Exception):
        pass

    def keep(save, progress):
        if folder is not None and (progress.epoch, progress.step) == STOP:
            save(folder)
            raise Stopped

    with contextlib.suppress(Stopped):
        run(
            m, data(), RECIPE, lambda record, save: None, ranks=ranks, keep=keep, resume=resume,
            wrap=lambda one: DistributedDataParallel(one, forward_sync_buffers=False), sync=average_buffers,
        )  # fmt: skip
    return {k: v.detach().clone().numpy() for k, v in m.state_dict().items()}


def worker(rank, port, folder, found):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    ranks = Ranks(rank, 2)
    straight = train(awake(0, soft=True), ranks)
    before = train(awake(0, soft=True), ranks, folder=folder)
    torch.distributed.barrier()
    resumed = train(method(99, soft=True), ranks, resume=folder)
    found.put((rank, straight, before, resumed))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    return folder, results_of(worker, 2, folder)


def test_both_ranks_go_on_to_the_same_bits(two):
    for _, straight, _, resumed in two[1]:
        assert all((straight[name] == resumed[name]).all() for name in straight)


def test_ranks_have_statistics_of_their_own_within_an_epoch(two):
    (_, _, first, _), (_, _, second, _) = two[1]
    differ = [name for name in first if (first[name] != second[name]).any()]
    assert differ
    assert not [name for name in differ if name.endswith(("weight", "bias"))]


def test_one_rank_alone_goes_on_with_the_mean_of_their_statistics(two):
    folder, ((_, _, first, _), (_, _, second, _)) = two
    alone = method(99, soft=True)
    draws = torch.Generator()
    load_rank(folder, ALONE, 2, alone, draws)
    for name, buffer in alone.named_buffers():
        if buffer.dtype == torch.float32:
            assert torch.allclose(buffer, torch.as_tensor((first[name] + second[name]) / 2)), name
    records = []
    run(method(99, soft=True), data(), RECIPE, lambda record, save: records.append(record), resume=folder)
    assert [record.epoch for record in records] == [2]


def test_more_ranks_than_before_draw_different_numbers(two):
    seen = set()
    for rank in range(3):
        draws = torch.Generator()
        load_rank(two[0], Ranks(rank, 3), 2, method(soft=True), draws)
        seen.add(torch.rand(1, generator=draws).item())
    assert len(seen) == 3


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:-9])])
def test_damage_is_refused_in_one_line(tmp_path, damage):
    save_rank(tmp_path, 0, method(), torch.Generator())
    damage(rank_file(tmp_path, 0))
    with pytest.raises(BadCheckpoint, match="cannot resume rank 0 from this state") as caught:
        load_rank(tmp_path, ALONE, 1, method(), torch.Generator())
    assert "\n" not in str(caught.value)


def test_the_state_of_another_method_is_refused(tmp_path):
    save_rank(tmp_path, 0, torch.nn.BatchNorm2d(3), torch.Generator())
    with pytest.raises(BadCheckpoint):
        load_rank(tmp_path, ALONE, 1, method(), torch.Generator())
