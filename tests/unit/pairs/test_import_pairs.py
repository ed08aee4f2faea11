import json
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import encoded, huge_png, picture, put

from spikinghash.errors import ConfigError
from spikinghash.pairs.admit import admit
from spikinghash.pairs.import_pairs import import_pairs
from spikinghash.pairs.importers.picture_place import place_of
from spikinghash.pairs.pair import PAIR_REASONS, BadPair, Candidate, RefusedPair
from spikinghash.pairs.pair_file import PairFile
from spikinghash.pairs.split_rules import by_rows

GOOD = encoded(picture(1, 8))
EVERYTHING = frozenset({"image", "text", "labels"})


def found(name="a", **changes):
    return Candidate(name, "here", **{"labels": ("x",), "text": ("t",), "picture": GOOD} | changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"picture": None}, "missing-picture"),
        ({"picture": Path("/nowhere/a.jpg")}, "missing-picture"),
        ({"picture": GOOD[:50]}, "broken-picture"),
        ({"picture": b"GIF89a"}, "broken-picture"),
        ({"picture": huge_png()}, "broken-picture"),
        ({"text": ()}, "empty-text"),
        ({"text": ("  ", "\n")}, "empty-text"),
        ({"text": ("\0", " \0 ")}, "empty-text"),
        ({"labels": ()}, "no-label"),
        ({"labels": ("", " ")}, "no-label"),
        ({"image_feature": np.array([1, np.nan], np.float32)}, "feature"),
        ({"image_feature": np.ones(2)}, "feature"),
        ({"text_feature": np.ones((2, 2), np.float32)}, "feature"),
    ],
)
def test_what_a_pair_lacks_is_a_reason(changes, reason):
    assert reason in PAIR_REASONS
    with pytest.raises(BadPair) as error:
        admit(found(**changes), "train", EVERYTHING)
    assert error.value.reason == reason


def test_rows_without_an_id_and_features_of_another_width_are_refused_by_reason(tmp_path):
    plain = np.ones(4, np.float32)
    rows = [
        found("a", image_feature=plain), found(""), found(" "), found("b", image_feature=np.ones(3, np.float32)),
        found("c", image_feature=plain.astype(np.float16)), found("d"), found("e", image_feature=2 * plain),
    ]  # fmt: skip
    ledger = import_pairs(rows, tmp_path, split=by_rows({"train": "0-99"}))
    assert [(one.pair_id, one.reason) for one in ledger.refused] == [
        ("", "row"), (" ", "row"), ("b", "feature"), ("c", "feature"),
    ]  # fmt: skip
    assert ledger.refused[2].message == "its image feature is [3] float32, those before it are [4] float32"
    assert [pair.pair_id for pair in PairFile.open(tmp_path).pairs()] == ["a", "d", "e"]


def test_features_stand_for_what_they_were_made_of():
    features = {"image_feature": np.ones(2, np.float16), "text_feature": np.ones(3, np.float32)}
    pair = admit(found(picture=Path("/nowhere"), text=(), **features), "database", EVERYTHING)
    assert (pair.image, pair.text, pair.split) == (None, (), "database")


def test_what_nobody_asks_for_may_be_missing():
    pair = admit(found(picture=Path("/nowhere"), labels=("b", "a", "b"), text=(" t ", "")), "train", frozenset())
    assert (pair.image, pair.labels, pair.text) == (None, ("b", "a"), ("t",))
    with pytest.raises(BadPair, match="neither"):
        admit(found(picture=None, text=()), "train", frozenset())


KINDS = {
    "good": found,
    "refused": lambda name: RefusedPair(name, "here", "outside", "away"),
    "empty": lambda name: found(name, text=()),
    "broken": lambda name: found(name, picture=b"no"),
    "moved": lambda name: found(name, re_rooted=True),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 9)), max_size=12))
@settings(max_examples=40, deadline=None)
def test_every_pair_is_accepted_or_refused(kinds):
    """Against a slow account: pairs one by one, ids that are taken already remembered."""
    taken, reasons, moved = [], Counter(), 0
    for row, (kind, number) in enumerate(kinds):
        free = number not in taken
        reason = {"refused": "outside"}.get(kind) or (None if free else "duplicate-id")
        reason = reason or ("no-split" if row > 7 else {"empty": "empty-text", "broken": "broken-picture"}.get(kind))
        reasons.update([reason] if reason else [])
        taken += [] if reason else [number]
        moved += reason is None and kind == "moved"
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        candidates = (KINDS[kind](f"p{number}") for kind, number in kinds)
        rule = by_rows({"train": "0-7"})
        if not taken:
            with pytest.raises(ConfigError, match=r"refused|no pairs"):
                import_pairs(candidates, out, split=rule)
            assert not (out / "pairs.parquet").exists()
        else:
            ledger = import_pairs(candidates, out, split=rule)
            assert [pair.pair_id for pair in PairFile.open(out).pairs()] == [f"p{number}" for number in taken]
            assert json.loads((out / "splits.json").read_text())["splits"] == {"train": sorted(f"p{n}" for n in taken)}
            assert (ledger.splits, ledger.re_rooted) == ({"train": len(taken)}, moved)
        content = json.loads((out / "ledger.json").read_text())
        assert content["found"] == len(kinds) == content["accepted"] + len(content["refused"])
        assert (content["accepted"], content["reasons"]) == (len(taken), dict(reasons))


def test_pictures_are_found_below_their_folder_only(tmp_path):
    put(tmp_path / "in/a/b.jpg", GOOD)
    put(tmp_path / "out/b.jpg", GOOD)
    root, place = tmp_path / "in", tmp_path / "in/a/b.jpg"
    assert place_of(root, "a/b.jpg") == place_of(root, "a\\b.jpg") == (place, False)
    assert place_of(root, "/home/x/a/b.jpg") == place_of(root, "C:\\data\\a\\b.jpg") == (place, True)
    assert place_of(root, "a/missing.jpg") == (root / "a/missing.jpg", False)
    (root / "link").symlink_to(tmp_path / "out")
    for outside in ("../out/b.jpg", "a/../../out/b.jpg", "/home/x/c.jpg", "link/b.jpg", "/x/link/b.jpg", "", "a\0b"):
        with pytest.raises(BadPair) as error:
            place_of(root, outside)
        assert error.value.reason == "outside"
