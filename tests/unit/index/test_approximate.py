"""Approximate structures: their recall is what a count says it is, and only the right one is loaded."""

import json

import numpy as np
import pytest
from test_searcher import random_codes, rows

from spikinghash.codes.database import CodeDatabase
from spikinghash.errors import BadStore, ConfigError
from spikinghash.index.approximate import STRUCTURES, Approximate, build_approximate
from spikinghash.index.filters import Filters
from spikinghash.index.flat import build_index
from spikinghash.index.searcher import open_searcher


@pytest.fixture
def database(tmp_path):
    database = CodeDatabase.create_or_open(tmp_path / "db")
    codes = np.random.default_rng(3).integers(0, 256, (3000, 8), dtype=np.uint8)
    database.append(rows(range(3000), codes))
    build_index(database.load(), tmp_path / "index")
    return database


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_structure_finds_what_it_says(database, tmp_path, structure):
    codes = database.load().codes
    about = build_approximate(codes, structure, tmp_path / "index")
    assert 0.1 < about["recall"] <= 1.0
    assert about["queries_per_s"].keys() == {"approximate", "exact"}
    quick = open_searcher(database, "m1", tmp_path / "index", approximate=True)
    exact = open_searcher(database, "m1", tmp_path / "index")
    near = 0
    for query, (mine, true) in enumerate(zip(quick.find(codes[:100], 10), exact.find(codes[:100], 10), strict=True)):
        names = [int(name[5:]) for name in mine.column("clip_id").to_pylist()]
        distances = mine.column("distance").to_pylist()
        assert distances == np.bitwise_count(codes[names] ^ codes[query]).sum(axis=1).tolist()
        assert len(set(names)) == len(names)
        near += sum(distance <= true.column("distance").to_pylist()[-1] for distance in distances)
    assert abs(near / 1000 - about["recall"]) < 0.25  # other queries than those it was measured on


def test_what_came_after_the_index_is_found_exactly(database, tmp_path):
    build_approximate(database.load().codes, "multi-hash", tmp_path / "index")
    fresh = random_codes(5, seed=9)
    database.append(rows(range(3000, 3005), fresh))
    found = open_searcher(database, "m1", tmp_path / "index", approximate=True).find(fresh, 1)
    assert [table.column("distance").to_pylist() for table in found] == [[0]] * 5


def test_an_approximate_search_takes_no_radius_and_no_filter(database, tmp_path):
    build_approximate(database.load().codes, "multi-hash", tmp_path / "index")
    quick = open_searcher(database, "m1", tmp_path / "index", approximate=True)
    for arguments in ((None, 3), (5, 3), (5, None, Filters(labels=("cat",)))):
        with pytest.raises(ConfigError, match="--approximate"):
            quick.find(random_codes(1), *arguments)


def test_a_structure_of_another_index_or_damaged_or_none_is_refused(database, tmp_path):
    folder = tmp_path / "index"
    with pytest.raises(BadStore, match="--structure"):
        open_searcher(database, "m1", folder, approximate=True)
    build_approximate(database.load().codes, "multi-hash", folder)
    about = json.loads((folder / "approximate.json").read_text())
    (folder / "approximate.json").write_text(json.dumps(about | {"over": "0" * 64}))
    with pytest.raises(BadStore, match="another index"):
        Approximate.load(folder)
    (folder / "approximate.json").write_text(json.dumps(about))
    content = bytearray((folder / "approximate.faiss").read_bytes())
    content[100] ^= 1
    (folder / "approximate.faiss").write_bytes(content)
    with pytest.raises(BadStore, match="damaged"):
        Approximate.load(folder)
    with pytest.raises(BadStore, match="needs an index"):
        open_searcher(database, "m1", tmp_path / "nothing", approximate=True)


def test_an_unknown_structure_is_refused(database, tmp_path):
    with pytest.raises(ConfigError, match="ivf, multi-hash, hnsw"):
        build_approximate(database.load().codes, "tree", tmp_path / "index")
