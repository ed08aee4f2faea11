"""The training loop: it learns, resumes bit for bit, and refuses to go on without information."""

import contextlib
import dataclasses

import pytest
import torch
from tiny_training import awake, clips, data, dataset, method, recipe

from spikinghash.data.order import Ranks
from spikinghash.errors import TrainingCollapsed
from spikinghash.methods.class_numbers import class_numbers
from spikinghash.training.augment import Augmentation
from spikinghash.training.loop import run


def train(m, r, folder=None, resume=None, d=None, stop=None, **more):
    records = []

    class Killed(Exception):
        pass

    def report(record, save):
        records.append(record)
        if save is not None and folder is not None:
            save(folder)
        if stop is not None and record.epoch == stop:
            raise Killed

    try:
        progress = run(m, d or data(), r, report, resume=resume, **more)
    except Killed:
        progress = None
    return records, progress


def blank_validation(d):
    return dataclasses.replace(
        d, val=dataset(torch.zeros(len(d.val), 4, 2, 16, 16), class_numbers(d.val.labels.targets()))
    )


def same(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(v, b[k]) for k, v in a.items())


def test_loss_falls_and_codes_separate():
    records, progress = train(method(), recipe(epochs=3, lr=1e-2), d=data(train=64))
    assert [r.epoch for r in records] == [1, 2, 3]
    assert records[-1].loss < 0.5 * records[0].loss
    assert records[-1].accuracy > 0.8
    assert progress.best_score == max(r.val_map for r in records) > 0.9
    assert records[progress.best_epoch - 1].val_map == progress.best_score
    assert set(records[0].parts) == {"similarity_loss", "class_loss", "bits_on"}
    assert records[0].clips_per_s > 0


def test_denormal_numbers_are_flushed_in_training_and_not_after_it():
    tiny, seen = torch.tensor(1e-310, dtype=torch.float64), []
    run(method(), data(), recipe(epochs=1), lambda record, save: seen.append(float(tiny * 1.0)))
    assert seen == [0.0]
    assert float(tiny * 1.0) > 0


AUGMENTED = Augmentation(shift_px=2.0, rotate_deg=10.0, scale=0.1, drop=0.2)


@pytest.mark.parametrize("optimiser", ["adamp", "adamw"])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, optimiser):
    r = recipe(optimiser=optimiser, augmentation=AUGMENTED)
    d = data(train=16, val=8)
    straight, broken, resumed = awake(0, soft=True), awake(0, soft=True), method(99, soft=True)
    all_records, whole = train(straight, r, d=d)
    train(broken, r, folder=tmp_path, stop=2, d=d)
    records, rest = train(resumed, r, resume=tmp_path, d=d)
    assert [x.epoch for x in records] == [3, 4]
    assert same(straight.state_dict(), resumed.state_dict())
    assert straight.soft.rounds_done == 8
    assert same(whole.best, rest.best)
    assert (whole.best_score, whole.best_epoch) == (rest.best_score, rest.best_epoch)
    for a, b in zip(all_records[2:], records, strict=True):
        timeless = {"seconds": 0.0, "clips_per_s": 0.0}
        assert dataclasses.replace(a, **timeless) == dataclasses.replace(b, **timeless)


@pytest.mark.parametrize("step", range(1, 7))
def test_a_run_killed_at_a_step_resumes_to_the_same_bits(tmp_path, step):
    """Dropout draws from the process's own generator, augmentation from the epoch's."""
    r = recipe(epochs=2, batch=2, checkpoint_steps=1, augmentation=AUGMENTED)
    d, all_records, records = data(train=8, val=8), [], []
    straight, broken, resumed = with_dropout(awake(0, soft=True)), awake(0, soft=True), method(99, soft=True)
    torch.manual_seed(1)
    whole = run(straight, d, r, lambda record, save: all_records.append(record))

    def keep(save, progress):
        seen.append((progress.epoch, progress.step))
        if len(seen) == step:
            save(tmp_path)
            raise KeyboardInterrupt

    seen = []
    torch.manual_seed(1)
    with contextlib.suppress(KeyboardInterrupt):
        run(with_dropout(broken), d, r, lambda record, save: None, keep=keep)
    assert seen[-1] == ((0, step) if step < 4 else (1, step - 3))
    torch.manual_seed(9)
    progress = run(with_dropout(resumed), d, r, lambda record, save: records.append(record), resume=tmp_path)
    assert same(straight.state_dict(), resumed.state_dict())
    assert same(whole.best, progress.best)
    timeless = {"seconds": 0.0, "clips_per_s": 0.0}
    for a, b in zip(all_records[-len(records) :], records, strict=True):
        assert dataclasses.replace(a, **timeless) == dataclasses.replace(b, **timeless)
        assert b.seconds > 0


def with_dropout(m):
    m.network.classifier.register_forward_pre_hook(
        lambda module, inputs: torch.nn.functional.dropout(inputs[0], 0.3, module.training)
    )
    return m


def test_states_are_offered_when_due():
    offered = []
    run(awake(), data(8, 4), recipe(epochs=3, checkpoint_every=2), lambda r, save: offered.append(save is not None))
    assert offered == [False, True, True]  # every second epoch, and the last


def test_the_seed_decides_order_and_augmentation():
    d, results = data(8, 4), []
    for seed in (1, 1, 2):
        m = method()
        train(m, recipe(epochs=1, seed=seed, batch=4, augmentation=AUGMENTED), d=d)
        results.append(m.state_dict())
    assert same(results[0], results[1])
    assert not same(results[0], results[2])


def test_workers_share_out_every_batch():
    """Two ranks see disjoint halves; the loop hands the wrapped method what is its own."""
    d = data(8, 4)
    seen = []

    def wrap(m):
        def remember(module, inputs):
            if module.training:
                seen.append(inputs[0].inputs["events"].sum((0, 2, 3, 4)).tolist())

        m.register_forward_pre_hook(remember)
        return m

    for rank in range(2):
        train(method(), recipe(epochs=1, batch=4), d=d, ranks=Ranks(rank, 2), wrap=wrap)
    assert [len(x) for x in seen] == [2, 2, 2, 2]
    flat = sorted(round(v) for x in seen for v in x)
    assert flat == sorted(round(v) for v in clips(8, 1)[0].sum((1, 2, 3, 4)).tolist())


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_an_absurd_learning_rate_is_called_a_collapse():
    with pytest.raises(
        TrainingCollapsed, match=r"(loss|gradients) became (nan|inf) in epoch \d(, step \d)?; lower train.lr"
    ):
        train(method(), recipe(lr=1e20, warmup=0.0, optimiser="adamw"), d=data(8, 4))


def test_a_number_that_is_none_is_noticed_before_the_weights_change():
    m = method()
    with torch.no_grad():
        m.network.classifier.weight[0, 0] = torch.nan
    before = {k: p.detach().clone() for k, p in m.network.named_parameters()}
    with pytest.raises(TrainingCollapsed, match="loss became nan in epoch 1, step 1"):
        train(m, recipe(), d=data(8, 4))
    after = dict(m.network.named_parameters())
    assert all(torch.equal(torch.nan_to_num(p), torch.nan_to_num(before[k])) for k, p in after.items())


def test_constant_codes_are_called_a_collapse():
    d = data(8, 4)
    blank = blank_validation(d)
    records = []
    with pytest.raises(TrainingCollapsed, match=r"all validation codes were equal for 3 epochs \(epoch 3\)") as caught:
        run(method(), blank, recipe(epochs=8, settle_steps=0), lambda r, save: records.append(r))
    assert "\n" not in str(caught.value)
    assert len(records) == 3
    assert records[-1].distinct == 1 / 4
    assert records[-1].dead_bits == 16


def test_constant_codes_are_borne_for_a_quarter_of_the_training():
    d = data(8, 4)
    blank = blank_validation(d)
    records = []
    with pytest.raises(TrainingCollapsed, match="epoch 5"):
        run(method(), blank, recipe(epochs=16, settle_steps=0), lambda r, save: records.append(r))
    assert len(records) == 5


def test_a_few_steps_are_too_early_to_call_a_collapse():
    d = data(8, 4)
    blank = blank_validation(d)
    records = []
    run(method(), blank, recipe(epochs=8), lambda r, save: records.append(r))
    assert len(records) == 8


def test_a_step_in_parts_learns_and_repeats():
    def weights(accumulate):
        m = method()
        records, _ = train(m, recipe(epochs=3, lr=1e-2, accumulate=accumulate), d=data(train=64))
        return records, {k: v.clone() for k, v in m.state_dict().items()}

    records, once = weights(2)
    assert records[-1].loss < 0.6 * records[0].loss
    assert same(once, weights(2)[1])
    assert not same(once, weights(1)[1])


def test_blocks_that_are_computed_again_change_no_weight():
    plain, again = (method(), method())
    run(plain, data(), recipe(epochs=2), lambda *_: None)
    run(again, data(), recipe(epochs=2, activation_checkpointing=True), lambda *_: None)
    theirs = again.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in plain.state_dict().items())
