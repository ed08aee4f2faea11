import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikinghash.errors import BadStore, ConfigError
from spikinghash.pairs.pair import Pair
from spikinghash.pairs.pair_columns import META_KEY
from spikinghash.pairs.pair_file import GROUP_ROWS, PairFile, PairWriter
from spikinghash.schema import SPLITS

WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
FEATURE = st.lists(st.floats(-9, 9, width=16), min_size=3, max_size=3).map(lambda x: np.array(x, np.float16))


@st.composite
def pairs(draw):
    made = []
    for i in range(draw(st.integers(1, 6))):
        labels = tuple(draw(st.lists(WORDS, max_size=3, unique=True)))
        image = draw(st.none() | st.binary(max_size=9))
        text = tuple(draw(st.lists(WORDS, max_size=3)))
        features = draw(st.none() | FEATURE), draw(st.none() | FEATURE.map(lambda x: x.astype(np.float32)))
        split, origin = draw(st.sampled_from(SPLITS)), draw(WORDS)
        made.append(Pair(f"p{i}", draw(WORDS), split, labels, image, features[0], text, features[1], origin))
    return made


def write(folder, some, made_by=None):
    with PairWriter(folder, made_by or {}) as writer:
        for pair in some:
            writer.add(pair)


def as_plain(pair):
    features = [None if x is None else (str(x.dtype), x.tolist()) for x in (pair.image_feature, pair.text_feature)]
    return pair.pair_id, pair.group, pair.split, pair.labels, pair.image, pair.text, pair.origin, features


@given(pairs(), st.dictionaries(WORDS, st.integers() | WORDS | st.lists(WORDS)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(tmp_path, some, made_by):
    write(tmp_path, some, made_by)
    file = PairFile.open(tmp_path)
    assert [as_plain(pair) for pair in file.pairs()] == [as_plain(pair) for pair in some]
    assert [pair.sha256 for pair in file.pairs()] == [pair.sha256 for pair in some]
    assert (len(file), file.spec.made_by) == (len(some), made_by)
    for split in SPLITS:
        assert [p.pair_id for p in file.pairs(split)] == [p.pair_id for p in some if p.split == split]
    texts = [pair.text for pair in file.pairs(columns=["text", "image_feature"])]
    assert texts == [pair.text for pair in some]


def test_many_pairs_are_groups_in_order(tmp_path):
    some = [
        Pair(f"p{i}", "g", SPLITS[i % 4], text_feature=np.full(2, i, np.float32)) for i in range(2 * GROUP_ROWS + 3)
    ]
    write(tmp_path, some)
    assert pq.ParquetFile(tmp_path / "pairs.parquet").num_row_groups == 3
    values = [pair.text_feature[0] for pair in PairFile.open(tmp_path).pairs()]
    assert values == list(range(len(some)))


def test_digests_tell_pairs_apart():
    kinds = [{}, {"image": b"a"}, {"text": ("a",)}, {"text": ("a", "")}, {"text": ("", "a")}]
    kinds += [{name: np.ones(2, np.float32)} for name in ("image_feature", "text_feature")]
    assert len({Pair("p", "g", "train", **kind).sha256 for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("second", "error"),
    [
        ({"pair_id": "a"}, "already"),
        ({"split": "query"}, "no split is called 'query'"),
        ({"image_feature": np.ones(3, np.float32)}, "[3] float32"),
        ({"image_feature": np.ones(2, np.float16)}, "[2] float16"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path, second, error):
    first = {"group": "g", "split": "train", "image_feature": np.ones(2, np.float32)}
    with pytest.raises(ValueError, match=error.replace("[", r"\[")):
        write(tmp_path, [Pair(**{"pair_id": "a"} | first), Pair(**{"pair_id": "b"} | first | second)])
    assert list(tmp_path.iterdir()) == []


def test_features_that_come_late_are_refused(tmp_path):
    some = [Pair(f"p{i}", "g", "train", text=("a",)) for i in range(GROUP_ROWS)]
    with pytest.raises(ConfigError, match="text_feature"):
        write(tmp_path, [*some, Pair("late", "g", "train", text_feature=np.ones(2, np.float32))])


def test_other_files_are_refused_in_one_line(tmp_path):
    write(tmp_path, [Pair("a", "g", "train", text=("hello",))])
    path = tmp_path / "pairs.parquet"
    table = pq.read_table(path)
    described = table.schema.metadata[META_KEY]
    changes = {
        "no description": table.replace_schema_metadata({}),
        "schema version 99": table.replace_schema_metadata(
            {META_KEY: described.replace(b'version": 1', b'version": 99')}
        ),
        "columns are not those": table.append_column("more", pa.array([1])),
    }
    for why, changed in changes.items():
        pq.write_table(changed, path)
        with pytest.raises(BadStore, match=why) as error:
            PairFile.open(tmp_path)
        assert "\n" not in str(error.value)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadStore, match="run the stage pairs again"):
        PairFile.open(tmp_path)
    with pytest.raises(BadStore, match="run the stage pairs first"):
        PairFile.open(tmp_path / "nowhere")


def test_a_flipped_bit_is_found(tmp_path):
    write(tmp_path, [Pair(f"p{i}", "g", "train", image=bytes(np.random.default_rng(i).bytes(500))) for i in range(20)])
    path = tmp_path / "pairs.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)
    with pytest.raises(BadStore, match="cannot read"):
        list(PairFile.open(tmp_path).pairs())
