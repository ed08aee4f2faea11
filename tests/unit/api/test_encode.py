"""Inputs of every kind to codes: the same as the command's, in order, with nothing lost."""

import threading
import zipfile

import numpy as np
import pytest
from tiny_model import recording

from spikinghash import Codes, Hasher, frame, read_recording
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.errors import BadCheckpoint, ConfigError
from spikinghash.events.reader import decode
from spikinghash.events.validate import validate


def counts(n, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 9, (n, 4, 2, 34, 34)) * (rng.random((n, 4, 2, 34, 34)) < 0.3)).astype(np.uint8)


def test_a_folder_gives_the_codes_of_the_command(hasher, recordings, tmp_path):
    codes = hasher.encode(recordings)
    database = CodeDatabase.create_or_open(tmp_path / "db")
    encode_recordings(discover([recordings]), hasher.encoder, database, decode=decode)
    expected = {row["recording"]: row["code"] for row in database.rows().to_pylist()}
    assert {name: code.tobytes() for name, code in zip(codes.names, codes.packed, strict=True)} == expected
    assert len(set(expected.values())) > 3
    assert codes.model == hasher.model == database.models()[0]


def test_a_refused_file_is_named_and_stops_nothing(hasher, recordings):
    codes = hasher.encode(recordings)
    assert len(codes) == 6
    [(name, reason)] = codes.refused
    assert name == str(recordings / "a/bad.raw")
    assert reason.startswith("unknown-format: ")
    assert "1 inputs refused" in str(codes)
    assert len(hasher.encode(recordings / "a/bad.raw")) == 0


def test_files_keep_the_order_they_are_given_in_and_count_once(hasher, recordings):
    paths = [recordings / f"{'ab'[n % 2]}/{n}.bin" for n in (4, 1, 3)]
    codes = hasher.encode([*paths, paths[0]])
    assert codes.names.tolist() == [str(path) for path in paths]
    assert np.array_equal(codes.packed, np.concatenate([hasher.encode(str(path)).packed for path in paths]))


def test_members_of_an_archive(hasher, recordings, tmp_path):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(recordings / "a/0.bin", "0.bin")
    codes = hasher.encode(tmp_path / "some.zip")
    assert codes.names.tolist() == [f"{tmp_path / 'some.zip'}!0.bin"]
    assert np.array_equal(codes.packed, hasher.encode(recordings / "a/0.bin").packed)


def test_events_and_frames_give_the_code_of_their_file(hasher, recordings):
    path = recordings / "b/3.bin"
    events = read_recording(path)
    framed = frame(events, steps=4)
    one = hasher.encode(path)
    for same in (events, framed, np.asarray(framed), framed.frames[0], framed.frames.astype(np.float64)):
        assert np.array_equal(hasher.encode(same).packed, one.packed)
    mixed = hasher.encode([events, path, framed])
    assert np.array_equal(mixed.packed, np.repeat(one.packed, 3, axis=0))
    assert mixed.names.tolist() == ["events 0", str(path), "frames 2:0"]
    assert (mixed.start_us[0], mixed.end_us[0]) == (events.t_first_us, events.t_last_us)


def test_events_of_another_sensor_are_refused_by_name(hasher):
    two = np.array([0, 1])
    events = validate(two, two, two, two, sensor=(20, 20), format="made")
    codes = hasher.encode([events])
    assert (len(codes), codes.refused) == (0, (("events 0", "sensor: its sensor is 20x20, the model's 34x34"),))


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (counts(2)[:, :3], r"frames are \[2, 3, 2, 34, 34\], the model hashes \[N, 4, 2, 34, 34\]"),
        (counts(2) - 0.5, "not whole"),
        (counts(2).astype(int) - 1, "counts from -1 to"),
        (np.full((1, 4, 2, 34, 34), np.nan), "not whole"),
        (np.full((1, 4, 2, 34, 34), "x"), "give counts as integers"),
        ("no/such/folder", "no such file or folder"),
        (7, "cannot encode int"),
    ],
)
def test_what_cannot_be_hashed_is_told_in_one_line(hasher, inputs, told):
    with pytest.raises(ConfigError, match=told) as caught:
        hasher.encode(inputs)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(BadCheckpoint, match="no model there"):
        Hasher.load(tmp_path)


def test_no_input_gives_no_codes(hasher):
    codes = hasher.encode([])
    assert (len(codes), codes.bits, codes.unpacked().shape) == (0, 16, (0, 16))


def test_codes_are_indexed_by_clip(hasher):
    codes = hasher.encode(counts(5))
    assert codes.unpacked().shape == (5, 16)
    assert isinstance(codes[1], Codes)
    assert codes[1].names.tolist() == [codes.names[1]]
    assert np.array_equal(codes[1:3].packed, codes.packed[1:3])
    assert len(codes[codes.unpacked()[:, 0] == 1]) == codes.unpacked()[:, 0].sum()
    assert [one.names[0] for one in codes] == codes.names.tolist()
    with pytest.raises(IndexError):
        codes[5]
    with pytest.raises(ConfigError, match="2 labels for 5 clips"):
        codes.with_labels(["a", "b"])


def test_four_threads_get_the_serial_codes(model_folder, tmp_path):
    clips = [counts(20, seed) for seed in range(4)]
    for seed in range(4):
        (tmp_path / f"{seed}.bin").write_bytes(recording(seed))
    serial = [Hasher.load(model_folder).encode([x, tmp_path / f"{i}.bin"]).packed for i, x in enumerate(clips)]
    assert len({block.tobytes() for block in serial}) == 4
    for _ in range(3):
        # a new one, so that its first calls meet
        shared, start, found = Hasher.load(model_folder), threading.Barrier(4), {}

        def work(i, shared=shared, start=start, found=found):
            start.wait()
            found[i] = shared.encode([clips[i], tmp_path / f"{i}.bin"]).packed

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(np.array_equal(found[i], serial[i]) for i in range(4))
