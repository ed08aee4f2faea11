"""One small model, and a folder of recordings it can hash, one of them damaged."""

import pytest
from tiny_model import recording, save_tiny

from spikinghash import Hasher


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save_tiny(folder, 3)
    return folder


@pytest.fixture(scope="session")
def hasher(model_folder):
    return Hasher.load(model_folder)


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "recordings"
    for number in range(6):
        path = folder / f"{'ab'[number % 2]}/{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recording(number))
    (folder / "a/bad.raw").write_bytes(b"no recording at all\n" * 20)
    return folder
