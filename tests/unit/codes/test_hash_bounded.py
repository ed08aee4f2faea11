"""A recording of very many clips is hashed whole while a bounded number of them is framed at once."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from frame_specs import frame_spec

from spikinghash.codes import frame_recording as framing_module
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import frame_recording
from spikinghash.codes.hash_inputs import hash_here
from spikinghash.codes.inputs import Opened
from spikinghash.codes.new_rows import Refused
from spikinghash.events import nmnist
from spikinghash.events.reader import decode
from spikinghash.events.source import Source
from spikinghash.events.validate import validate
from spikinghash.frames.framing import Framing
from spikinghash.layers.exact_weights import snap_to_grid
from spikinghash.methods.method import build
from spikinghash.training.checkpoint import load_model, save_model

WINDOW_US = 1_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    meta = Framing(4, windowing="window", window_us=WINDOW_US).meta((34, 34))
    spec = frame_spec(
        "spikinghash", "Nano", 16, ("0", "1"), 4, 16, 16, (34, 34), 8, "atan", meta.to_json()
    )  # fmt: skip
    network = build(spec).network.eval()
    snap_to_grid(network, 8)
    save_model(tmp_path_factory.mktemp("windows"), spec, network, {})
    return load_model(tmp_path_factory.getbasetemp() / "windows0")


def opened(clips, seed=0):
    """A recording that becomes about so many clips of one event each."""
    rng = np.random.default_rng(seed)
    t = np.arange(clips) * WINDOW_US
    x, y, p = rng.integers(0, 34, clips), rng.integers(0, 34, clips), rng.integers(0, 2, clips)
    data = nmnist.to_bytes(validate(t, x, y, p, sensor=(34, 34), format="nmnist"))
    return Opened(f"{clips}-{seed}.bin", None, Source(Path("a.bin"), data))


def test_the_frames_of_a_long_recording_are_never_all_there(model):
    encoder = Encoder(model, batch=16, workers=1)
    list(hash_here(iter([opened(40)]), encoder, decode))
    item = opened(4_000)
    tracemalloc.start()
    (hashed,) = hash_here(iter([item]), encoder, decode)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(hashed.clips) == len(hashed.codes) == len(hashed.margins) == 3_999
    frames_bytes = 3_999 * 4 * 2 * 34 * 34
    assert peak < frames_bytes / 3


def test_batches_that_cut_through_recordings_change_no_code(model):
    encoder = Encoder(model, batch=8, workers=1)
    items = [opened(3, 1), opened(30, 2), opened(9, 3), opened(8, 4), opened(2, 5), opened(100, 6)]
    bad = Opened("bad.bin", None, Source(Path("bad.bin"), items[0].source.data[:-2]))
    results = list(hash_here(iter([*items[:2], bad, *items[2:]]), encoder, decode))
    refused = [r for r in results if isinstance(r, Refused)]
    assert [r.path for r in refused] == ["bad.bin"]
    found = {r.sha256: r for r in results if not isinstance(r, Refused)}
    assert len(found) == len(items)
    for item in items:
        framed = list(frame_recording(item.path, item.source, model.spec, decode))
        codes, margins = Encoder(model, batch=1, workers=1).encode(np.stack([one.frames for one in framed]))
        hashed = found[item.source.sha256]
        assert hashed.clips == [one.clip for one in framed]
        assert np.array_equal(hashed.codes, codes)
        assert np.array_equal(hashed.margins, margins)
        assert hashed.events == sum(one.events for one in framed)


def test_more_clips_than_the_memory_holds_are_refused_in_one_line(model, monkeypatch):
    monkeypatch.setattr(framing_module, "reading_bytes", lambda: 8 << 20)
    encoder = Encoder(model, batch=16, workers=1)
    large, small = hash_here(iter([opened(2_000), opened(100)]), encoder, decode)
    assert large.error.reason == "memory"
    assert "\n" not in large.error.message
    assert len(small.clips) == 99


def test_a_failure_over_one_recording_is_its_refusal_and_the_next_is_hashed(model):
    def decode_or_fail(source, **options):
        if b"bad" in source.path.name.encode():
            raise ZeroDivisionError("in a decoder")
        return decode(source, **options)

    bad = Opened("bad.bin", None, Source(Path("bad.bin"), b"x"))
    refused, hashed = hash_here(iter([bad, opened(30)]), Encoder(model, batch=16, workers=1), decode_or_fail)
    assert (refused.path, refused.error.reason) == ("bad.bin", "worker-crash")
    assert "ZeroDivisionError" in refused.error.message
    assert len(hashed.clips) == 29
