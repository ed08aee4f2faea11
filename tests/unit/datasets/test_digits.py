import numpy as np
import pytest
from sklearn.datasets import load_digits

from spikinghash.datasets.digits import film_digit, synthesize_digits
from spikinghash.datasets.layouts import find_recordings
from spikinghash.events import nmnist
from spikinghash.events.camera import CameraParams
from spikinghash.events.reader import read_recording


def tree(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.bin")}


def test_small_set(tmp_path):
    assert synthesize_digits(tmp_path, seed=0, camera=CameraParams(), limit=40) == 40
    found = find_recordings(tmp_path, "class_folders")
    assert len(found) == 40
    digits = load_digits()
    for recording in found:
        assert recording.label == str(digits.target[int(recording.path.stem)])
        events = read_recording(recording.path)
        assert (events.width, events.height) == (34, 34)
        assert 1_500 <= events.count <= 5_000
        assert events.t_last_us <= 300_000
        assert 0.8 < events.on / events.off < 1.25
    assert 8 <= sum(recording.split == "test" for recording in found) <= 14


def test_same_seed_same_bytes_and_leftovers_go(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    synthesize_digits(first, seed=3, camera=CameraParams(), limit=12)
    synthesize_digits(second, seed=3, camera=CameraParams(), limit=20)
    (second / "train/notes.txt").write_text("keep me")
    synthesize_digits(second, seed=3, camera=CameraParams(), limit=12)
    assert tree(first) == tree(second)
    assert (second / "train/notes.txt").is_file()
    synthesize_digits(second, seed=4, camera=CameraParams(), limit=12)
    assert tree(first) != tree(second)


def test_a_recording_does_not_depend_on_the_others(tmp_path):
    synthesize_digits(tmp_path, seed=0, camera=CameraParams(), limit=8)
    alone = film_digit(load_digits().images[7] / 16, 7, seed=0, camera=CameraParams())
    (path,) = tmp_path.rglob("0007.bin")
    assert path.read_bytes() == nmnist.to_bytes(alone)


@pytest.mark.parametrize("label", [0, 1])
def test_the_digit_is_in_the_middle(label):
    image = load_digits().images[label] / 16
    events = film_digit(image, label, seed=0, camera=CameraParams(noise_rate_hz=0))
    for column in (events.x, events.y):
        assert 13 < np.median(column) < 20
