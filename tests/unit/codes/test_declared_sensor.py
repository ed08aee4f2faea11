"""A recording whose header states another camera than the model's is refused, however small the corner it is in."""

from pathlib import Path

import numpy as np
import pytest
from test_frame_recording import spec

from spikinghash.codes.frame_recording import frame_recording
from spikinghash.errors import BadRecording
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.events.source import Source
from spikinghash.frames.framing import Framing
from spikinghash.ingest.recordings import ingest


def evt2(width, height, beyond=False):
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(0, 90_000, 3000))
    x, y, p = rng.integers(0, 34, 3000), rng.integers(0, 34, 3000), rng.integers(0, 2, 3000)
    if beyond:
        x[[100, 200]], y[[100, 200]] = 900, 500
    words, high = [], -1
    for now, a, b, on in zip(t.tolist(), x.tolist(), y.tolist(), p.tolist(), strict=True):
        if now >> 6 != high:
            high = now >> 6
            words.append(8 << 28 | high)
        words.append(on << 28 | (now & 63) << 22 | a << 11 | b)
    return f"% evt 2.0\n% geometry {width}x{height}\n% end\n".encode() + np.array(words, "<u4").tobytes()


FILES = {"corner.raw": evt2(1280, 720), "two_beyond.raw": evt2(1280, 720, beyond=True), "davis.raw": evt2(346, 260)}


def test_a_model_of_a_small_sensor_refuses_a_corner_of_a_large_one():
    with IsolatedDecoder() as decoder:
        for name, data in FILES.items():
            with pytest.raises(BadRecording) as caught:
                frame_recording(name, Source(Path(name), data), spec(Framing(4)), decoder.stream)
            assert caught.value.reason == "sensor"
            assert "34x34" in caught.value.message
        (clip,) = frame_recording(
            "right.raw", Source(Path("right.raw"), evt2(34, 34)), spec(Framing(4)), decoder.stream
        )
    assert clip.events == 3000


def test_ingest_refuses_them_too(tmp_path):
    for name, data in (FILES | {"right.raw": evt2(34, 34)}).items():
        path = tmp_path / "raw" / "train" / "label" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    report = ingest(tmp_path / "raw", "class_folders", tmp_path / "out", Framing(4), sensor=(34, 34))
    assert {Path(r.path).name: r.reason for r in report.ledger.refused} == dict.fromkeys(FILES, "sensor")
    assert report.ledger.accepted == 1
