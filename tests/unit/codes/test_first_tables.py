"""Tables of the first schema version, whose codes do not say of which modality they are, are read and added to."""

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.new_rows import Clip, code_rows
from spikinghash.codes.open_table import VERSION_KEY
from spikinghash.codes.schema import CODE_ROWS, LATER_COLUMNS, QUARANTINE_ROWS
from spikinghash.errors import BadStore


def rows_of(*clips):
    codes = np.arange(2 * len(clips), dtype=np.uint8).reshape(-1, 2)
    return code_rows(clips, codes, np.zeros(len(clips), np.float32), "m", "f")


def clip(name, label="cat", **more):
    return Clip(name, f"r-{name}", "0" * 64, 0, 5, label, "train", **more)


@pytest.fixture
def first(tmp_path):
    """A database as the first version left it: the same columns but for the later ones."""
    schema = pa.schema([field for field in CODE_ROWS if field.name not in LATER_COLUMNS])
    for name, columns in (("codes", schema), ("quarantine", QUARANTINE_ROWS)):
        DeltaTable.create(
            f"{tmp_path}/db/{name}", columns, partition_by=["model"] if name == "codes" else None,
            configuration={VERSION_KEY: "1"}, raise_if_key_not_exists=False,
        )  # fmt: skip
    return CodeDatabase.open(tmp_path / "db")


def test_clips_are_added_once_and_read_with_what_they_are(first):
    assert first.append(rows_of(clip("a"), clip("b"))).written == 2
    assert first.append(rows_of(clip("b"), clip("c"))).written == 1
    codes = first.load("m")
    assert codes.clip_ids.tolist() == codes.items.tolist() == ["a", "b", "c"]
    assert set(codes.modalities) == set(codes.seen) == {"events"}
    assert codes.label_sets is None
    assert len(codes.where("events", "events")) == 3
    assert first.rows().schema == CODE_ROWS


def test_what_it_has_no_columns_for_is_refused_whole(first):
    for pair in (clip("x/text", modality="text", item="x"), clip("y", labels=("cat", "dog"))):
        with pytest.raises(BadStore, match="made before codes had modalities and several labels; encode into a new"):
            first.append(rows_of(clip("a"), pair))
    assert first.rows().num_rows == 0


def test_a_table_of_today_keeps_them(tmp_path):
    database = CodeDatabase.create_or_open(tmp_path / "db")
    both = {"item": "x", "labels": ("dog", "cat"), "label": "dog"}
    database.append(rows_of(clip("x/image", modality="image", **both), clip("x/text", modality="text", **both)))
    database.append(rows_of(clip("x/text/paired", modality="text", seen="image+text", **both)))
    codes = database.load("m")
    assert codes.items.tolist() == ["x"] * 3
    assert codes.label_sets.tolist() == [("dog", "cat")] * 3
    assert codes.where("text", "text").clip_ids.tolist() == ["x/text"]
    assert codes.where("text", "image+text").clip_ids.tolist() == ["x/text/paired"]
