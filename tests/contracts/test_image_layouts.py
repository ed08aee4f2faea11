"""What every layout of pictures promises. A new one joins by a line in `SETS` of `tests/image_files.py`."""

import hashlib
import json

import numpy as np
import pytest
from image_files import SETS

from spikinghash.data.described import from_text, to_text
from spikinghash.data.picture import PictureFrame
from spikinghash.data.store import SampleStore
from spikinghash.datasets.layouts import PICTURE_FILES, find_recordings
from spikinghash.datasets.splits import assign_splits
from spikinghash.errors import ConfigError
from spikinghash.events.source import open_source
from spikinghash.ingest.pictures import ingest_pictures
from spikinghash.ingest.recordings import by_file


def test_every_layout_of_pictures_is_tested():
    assert set(SETS) == set(PICTURE_FILES)


@pytest.fixture(params=SETS)
def made(request, tmp_path):
    SETS[request.param](tmp_path / "raw")
    return request.param, tmp_path


def contents(layout, root):
    """Every picture's bytes and pixels by id, file by file as ingest reads them."""
    file = PICTURE_FILES[layout]
    found = {}
    for some in by_file(find_recordings(root, layout)):
        for recording, content in file.contents(open_source(some[0].path), some):
            found[recording.recording_id] = content, file.decode(content, None)
    return found


def test_ids_are_sorted_unique_and_labelled(made):
    layout, tmp_path = made
    found = find_recordings(tmp_path / "raw", layout)
    ids = [recording.recording_id for recording in found]
    assert ids == sorted(set(ids))
    assert len({recording.label for recording in found}) == 2
    assert all(recording.label and recording.path.is_file() for recording in found)


def test_a_store_holds_every_picture_as_its_pixels(made):
    layout, tmp_path = made
    report = ingest_pictures(tmp_path / "raw", layout, tmp_path / "out")
    expected = contents(layout, tmp_path / "raw")
    store = SampleStore.open(tmp_path / "out")
    images, rows = store.load(None, "image")
    field = store.spec.fields["image"]
    assert images.shape[1:] == field.shape == (3, *images.shape[2:])
    assert images.dtype == np.uint8
    assert {row.sample_id for row in rows} == set(expected)
    for image, row in zip(images, rows, strict=True):
        content, pixels = expected[row.sample_id]
        assert np.array_equal(image, pixels)
        assert row.accounts == {}
        assert row.sha256 == hashlib.sha256(content).hexdigest()
    assert len({row.sha256 for row in rows}) == len(rows)
    assert report.field == field == from_text(to_text(field))[0]
    assert PictureFrame.of(field).field() == field


def test_the_ledger_adds_up_and_splits_are_kept(made):
    layout, tmp_path = made
    calls = []
    report = ingest_pictures(tmp_path / "raw", layout, tmp_path / "out", progress=lambda *done: calls.append(done))
    recordings = find_recordings(tmp_path / "raw", layout)
    ledger = report.ledger
    assert ledger.found == ledger.accepted == ledger.clips == len(recordings) == calls[-1][0]
    assert ledger.refused == []
    splits = assign_splits(recordings, val_fraction=0.1, test_fraction=0.2, seed=0)
    lists = json.loads((tmp_path / "out/splits.json").read_text())["splits"]
    assert {name: split for split, names in lists.items() for name in names} == splits
    assert all(splits[r.recording_id] in (r.split, "val") for r in recordings if r.split)
    assert all(lists.values())


def test_all_can_be_resized(made):
    layout, tmp_path = made
    ingest_pictures(tmp_path / "raw", layout, tmp_path / "out", size=(20, 12))
    ingest_pictures(tmp_path / "raw", layout, tmp_path / "plain")
    store = SampleStore.open(tmp_path / "out")
    assert store.spec.fields["image"].shape == (3, 12, 20)
    assert store.spec.digest != SampleStore.open(tmp_path / "plain").spec.digest
    small, large = (
        SampleStore.open(tmp_path / name).load(None, "image")[0].mean(axis=(2, 3)) for name in ("out", "plain")
    )
    # the middle of a picture is about as bright as the whole: nothing was moved between channels or pictures
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.8


def test_both_kinds_of_store_hold_the_same(made):
    layout, tmp_path = made
    for kind in ("parquet", "hdf5"):
        ingest_pictures(tmp_path / "raw", layout, tmp_path / kind, store=kind)
    (a, rows_a), (b, rows_b) = (SampleStore.open(tmp_path / kind).load(None, "image") for kind in ("parquet", "hdf5"))
    assert np.array_equal(a, b)
    assert rows_a == rows_b


def test_an_empty_folder_is_refused(made):
    layout, tmp_path = made
    (tmp_path / "empty").mkdir()
    for root in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match=str(root)):
            find_recordings(root, layout)
