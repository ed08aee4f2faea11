import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinghash.datasets.split_lists import read_split_lists, write_split_lists
from spikinghash.errors import ConfigError
from spikinghash.pairs.pair import Candidate
from spikinghash.pairs.split_rules import by_draw, by_lists, by_rows, by_statement, split_rule


def candidate(name="a", split=None, group=None):
    return Candidate(name, "here", split=split, group=group)


@pytest.mark.parametrize(
    ("stated", "split"),
    [
        ("train", "train"),
        ("Query", "test"),
        ("retrieval", "database"),
        ("database", "database"),
        ("", None),
        (None, None),
    ],
)
def test_a_set_states_splits_by_any_of_their_names(stated, split):
    assert by_statement(0, candidate(split=stated)) == split
    assert split_rule()(0, candidate(split=stated)) == (split or "train")


def test_who_trains_is_in_the_database_too():
    rule = by_rows({"test": "0-1", "database": "2-9", "train": "2-4"})
    assert [rule(row, candidate()) for row in range(11)] == ["test"] * 2 + ["train"] * 3 + ["database"] * 5 + [None]


@pytest.mark.parametrize(
    "ranges", [{"query": "0-1"}, {"test": "1"}, {"test": "3-1"}, {"test": "0-4", "database": "4-9"}, {"test": "-1-3"}]
)
def test_strange_ranges_are_refused(ranges):
    with pytest.raises(ConfigError):
        by_rows(ranges)


@given(st.integers(0, 99), st.lists(st.text(max_size=5), unique=True, max_size=30))
def test_a_draw_depends_on_the_group_alone(seed, names):
    rule = by_draw({"test": 0.3, "val": 0.2, "database": 0.1}, seed)
    first = {name: rule(0, candidate(name)) for name in names}
    again = {name: rule(i, candidate(f"other {name}", group=name)) for i, name in enumerate(reversed(names))}
    # a pair without a group is one of its own
    assert {name: again[name] for name in names if name} == {name: first[name] for name in names if name}


def test_a_draw_gives_about_its_fractions():
    rule = by_draw({"test": 0.3, "database": 0.2}, 1)
    found = [rule(0, candidate(str(i))) for i in range(4000)]
    assert [round(found.count(split) / 4000, 1) for split in ("test", "database", "train", "val")] == [0.3, 0.2, 0.5, 0]
    for wrong in ({"train": 0.5}, {"test": 1.0}, {"test": -0.1, "val": 0.2}, {"nonsense": 0.1}):
        with pytest.raises(ConfigError):
            by_draw(wrong, 1)


def test_validation_is_drawn_out_of_what_would_train():
    plain, drawn = (split_rule(rows={"test": "0-99", "train": "100-999"}, val_fraction=f) for f in (0.0, 0.25))
    both = [(plain(row, candidate(str(row))), drawn(row, candidate(str(row)))) for row in range(1000)]
    assert {old for old, new in both if new == "val"} == {"train"}
    assert all(new == old for old, new in both if new != "val")
    assert 0.2 < sum(new == "val" for _, new in both) / 900 < 0.3


def test_lists_are_kept_in_a_file_with_a_checksum(tmp_path):
    lists = {"database": ["c"], "test": ["a", "b"]}
    write_split_lists(tmp_path, lists, seed=3)
    path = tmp_path / "splits.json"
    assert read_split_lists(path) == lists
    rule = split_rule(file=str(path))
    assert [rule(9, candidate(name)) for name in "abcd"] == ["test", "test", "database", None]
    assert by_lists(lists)(0, candidate("c")) == "database"
    content = json.loads(path.read_text())
    for change in (
        {"splits": {"database": ["c"], "test": ["a"]}},
        {"splits": {"query": ["a"]}},
        {"splits": ["a"]},
        {"splits": {"test": [1]}},
    ):
        path.write_text(json.dumps(content | change))
        with pytest.raises(ConfigError, match=str(path)):
            read_split_lists(path)
    write_split_lists(tmp_path, {"test": ["a"], "train": ["a"]}, seed=3)
    with pytest.raises(ConfigError, match="twice"):
        read_split_lists(path)
    path.write_text("no json")
    with pytest.raises(ConfigError, match="cannot read"):
        read_split_lists(path)
