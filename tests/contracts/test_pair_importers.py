"""What every importer of pairs promises. A new one joins by a line in `SETS` of `tests/pair_sets.py`."""

import hashlib
import io
import json

import numpy as np
import pytest
from image_files import put
from pair_sets import COUNT, SETS
from PIL import Image

from spikinghash.errors import ConfigError
from spikinghash.pairs.import_pairs import import_pairs
from spikinghash.pairs.importers.table import IMPORTERS, find_pairs
from spikinghash.pairs.pair_file import PairFile
from spikinghash.pairs.split_rules import by_draw, by_statement

EVERYTHING_TRAINS = by_draw({}, 0)
WITH_PICTURES = [
    name for name, (importer, _) in SETS.items() if importer not in ("parquet", "dcmh_mat", "feature_arrays")
]


def test_every_importer_is_tested():
    assert {importer for importer, _ in SETS.values()} == set(IMPORTERS)


@pytest.fixture(params=SETS)
def made(request, tmp_path):
    importer, make = SETS[request.param]
    return (importer, *make(tmp_path / "raw"))


def imported(out, importer, path, options, **changes):
    changes = {"split": EVERYTHING_TRAINS, "needs": ()} | changes
    ledger = import_pairs(find_pairs(importer, path, options), out, **changes)
    content = json.loads((out / "ledger.json").read_text())
    assert content["found"] == content["accepted"] + sum(content["reasons"].values())
    return ledger, list(PairFile.open(out).pairs())


def test_a_file_of_pairs_holds_what_the_set_holds(made, tmp_path):
    importer, path, options, known = made
    ledger, pairs = imported(
        tmp_path / "out", importer, path, options, split=by_statement if "split" in known else EVERYTHING_TRAINS
    )
    assert (ledger.found, ledger.accepted, ledger.refused) == (COUNT, COUNT, [])
    expected = {"pair_id": [str(i) for i in range(COUNT)], "labels": [()] * COUNT, "text": [()] * COUNT} | known
    for name in set(expected) - {"pixels", "image_feature", "text_feature"}:
        assert [getattr(pair, name) for pair in pairs] == expected[name], name
    for name in ("image_feature", "text_feature"):
        found = [getattr(pair, name) for pair in pairs]
        if name in known:
            assert np.array_equal(np.stack(found), known[name])
            assert found[0].dtype == known[name].dtype
        else:
            assert found == [None] * COUNT
    if "pixels" in known:
        for pair, pixels in zip(pairs, known["pixels"], strict=True):
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(pair.image))).transpose(2, 0, 1), pixels)
    elif "image" not in known:
        assert all(pair.image is None for pair in pairs)
    assert all(pair.origin and pair.group == pair.pair_id for pair in pairs)


def test_the_same_set_gives_the_same_bytes(made, tmp_path):
    importer, path, options, _ = made
    for name in "ab":
        imported(tmp_path / name, importer, path, options)
    one, two = ((tmp_path / name / "pairs.parquet").read_bytes() for name in "ab")
    assert hashlib.sha256(one).digest() == hashlib.sha256(two).digest()


def test_unknown_options_and_types_are_refused_by_name(made):
    importer, path, options, _ = made
    for wrong in ({"nonsense": 1}, {next(iter(options)): 3.5}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            list(find_pairs(importer, path, options | wrong))


def test_what_is_not_there_is_one_clear_line(made, tmp_path):
    importer, _, options, _ = made
    with pytest.raises(ConfigError, match=str(tmp_path)) as error:
        list(find_pairs(importer, tmp_path / "nowhere", options))
    assert "\n" not in str(error.value)


def test_damage_is_one_clear_line_or_a_refusal(made, tmp_path):
    """Every file of the set, cut short in two places: nothing but `ConfigError` may come out, or a whole ledger."""
    importer, path, options, _ = made
    for file in sorted(one for one in (tmp_path / "raw").rglob("*") if one.is_file() and one.suffix != ".jpg"):
        whole = file.read_bytes()
        for size in (0, len(whole) // 2):
            file.write_bytes(whole[:size])
            try:
                imported(tmp_path / "out", importer, path, options)
            except ConfigError as error:
                assert "\n" not in str(error)
        file.write_bytes(whole)


@pytest.mark.parametrize("name", WITH_PICTURES)
def test_pictures_are_missing_broken_or_re_rooted(name, tmp_path):
    importer, make = SETS[name]
    path, options, known = make(tmp_path / "raw")
    files = sorted(one for one in (tmp_path / "raw").rglob("*.jpg"))
    files[0].unlink()
    put(files[1], b"\xff\xd8\xff no picture")
    ledger, pairs = imported(tmp_path / "out", importer, path, options, needs=("image",))
    # what was found elsewhere has no place to be missing at
    missing = "outside" if importer == "clip_mat" else "missing-picture"
    assert ledger.reasons == {missing: 1, "broken-picture": 1}
    assert ledger.re_rooted == (COUNT - 2 if importer == "clip_mat" else 0)
    assert len(pairs) == COUNT - 2
    ids = known.get("pair_id", [str(i) for i in range(COUNT)])
    pictures = dict(zip(ids, known["image"], strict=True))
    assert all(pair.image == pictures[pair.pair_id] for pair in pairs)
