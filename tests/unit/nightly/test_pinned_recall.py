"""Pinned queries: what came later is no loss, what is lost or changed shows, by the numbers of a slow oracle."""

import json
from dataclasses import replace

import numpy as np
import pytest
from archive_cases import DAY, START, archive, digest, some_codes

from spikinghash.index.flat import build_index
from spikinghash.nightly.earlier_nights import EarlierNight
from spikinghash.nightly.pinned_queries import K, pin
from spikinghash.nightly.pinned_recall import pinned_recall

CODES = some_codes(300)
FIRST, LATER = list(range(200)), list(range(200, 300))


@pytest.fixture
def first(tmp_path):
    """An archive of 200 recordings, and the folder in which eight of them were pinned."""
    database = archive(tmp_path / "db", (FIRST, CODES, START))
    reports = tmp_path / "reports"
    reports.mkdir()
    pin(reports, database.load(), 8, START + DAY)
    return database, reports


def asked(database, reports, index=None, earlier=None, wanted=8, now=START + 3 * DAY):
    return pinned_recall(reports, database, database.load(), index, earlier, wanted, now)


def ranked(query, numbers, codes):
    """The ids of the nearest of some recordings, by a loop."""
    distances = [(int(np.bitwise_count(codes[i] ^ query).sum()), f"{digest(i)}@0-5") for i in numbers]
    return [name for _, name in sorted(distances)[:K]]


def oracle(reports, numbers, codes):
    """Recall of each pinned query among some recordings, whose codes may be others now."""
    recalls = []
    for query in json.loads(next(reports.glob("pinned-*.json")).read_text())["queries"]:
        code = np.frombuffer(bytes.fromhex(query["code"]), np.uint8)
        now = ranked(code, numbers, codes)
        recalls.append(len(set(query["nearest"]) & set(now)) / len(query["nearest"]))
    return recalls


def test_the_first_recordings_by_digest_are_pinned_once(first):
    database, reports = first
    (path,) = reports.glob("pinned-*.json")
    queries = json.loads(path.read_text())["queries"]
    assert [query["id"] for query in queries] == sorted(f"{digest(i)}@0-5" for i in FIRST)[:8]
    assert path.name == f"pinned-{'a' * 64}.json"
    for query in queries:
        code = np.frombuffer(bytes.fromhex(query["code"]), np.uint8)
        assert query["nearest"] == ranked(code, FIRST, CODES)
    before = path.read_bytes()
    archive(database.uri, (LATER, CODES, START + 2 * DAY))
    assert len(pin(reports, database.load(), 8, START + 2 * DAY)) == 8
    assert path.read_bytes() == before


def test_what_came_later_is_no_loss(first):
    database, reports = first
    archive(database.uri, (LATER, CODES, START + 2 * DAY))
    found = asked(database, reports)
    # without leaving it out, some neighbours would be pushed back
    assert min(oracle(reports, FIRST + LATER, CODES)) < 1
    assert (found["mean"], found["lowest"], found["worst"], found["note"]) == (1.0, 1.0, [], None)


def test_lost_rows_show_as_in_the_oracle(first, tmp_path):
    _, reports = first
    left = [i for i in FIRST if i % 3]
    database = archive(tmp_path / "left", (left, CODES, START), (LATER, CODES, START + 2 * DAY))
    found, expected = asked(database, reports), oracle(reports, left, CODES)
    assert found["mean"] == pytest.approx(np.mean(expected))
    assert found["lowest"] == min(expected) < 1
    assert found["worst"][0]["recall"] == min(expected)
    assert found["since"] == (START + DAY).isoformat()


def test_a_lost_row_that_is_hashed_again_is_found_again(first, tmp_path):
    _, reports = first
    left = [i for i in FIRST if i % 3]
    again = [i for i in FIRST if i % 3 == 0]
    database = archive(tmp_path / "again", (left, CODES, START), (again, CODES, START + 2 * DAY))
    assert asked(database, reports)["lowest"] == 1.0


def test_other_codes_show_too(first, tmp_path):
    _, reports = first
    others = CODES.copy()
    others[FIRST[::2]] ^= 0x0F  # bits in which no code differed
    found = asked(archive(tmp_path / "others", (FIRST, others, START)), reports)
    assert found["mean"] == pytest.approx(np.mean(oracle(reports, FIRST, others)))
    assert found["mean"] < 1


def test_an_index_that_is_wrong_shows_though_the_table_is_right(first, tmp_path):
    database, reports = first
    codes = database.load()
    build_index(codes, tmp_path / "index")
    assert asked(database, reports, tmp_path / "index")["index"] == 1.0
    build_index(replace(codes, codes=np.roll(codes.codes, 1, axis=0)), tmp_path / "index")
    found = asked(database, reports, tmp_path / "index")
    assert found["table"] == 1.0
    assert found["index"] < 1.0
    assert found["mean"] <= found["index"]


def test_an_index_that_is_damaged_is_said(first, tmp_path):
    database, reports = first
    build_index(database.load(), tmp_path / "index")
    path = tmp_path / "index/index.faiss"
    path.write_bytes(path.read_bytes()[:-1])
    found = asked(database, reports, tmp_path / "index")
    assert "damaged" in found["note"]
    assert found["lowest"] == 1.0  # as a search does, all codes were read


def test_a_night_of_a_week_ago_is_what_counts_then(first, tmp_path):
    _, reports = first
    left = [i for i in FIRST if i % 3]
    database = archive(tmp_path / "left", (left, CODES, START))
    then = asked(database, reports)
    assert then["lowest"] < 1
    earlier = EarlierNight(START + 3 * DAY, {"pinned": then})
    assert asked(database, reports, earlier=earlier)["lowest"] == 1.0
    for other in ({}, {"pinned": None}, {"pinned": {"problem": "x"}}, {"pinned": {"queries": [{"id": 1}]}}):
        assert asked(database, reports, earlier=EarlierNight(START, other))["lowest"] == then["lowest"]


def test_a_small_archive_pins_more_as_it_grows(tmp_path):
    database = archive(tmp_path / "db", ([0, 1], CODES, START))
    assert asked(database, tmp_path)["count"] == 2
    archive(database.uri, (FIRST, CODES, START + 4 * DAY))
    found = asked(database, tmp_path, now=START + 5 * DAY)
    assert (found["count"], found["lowest"]) == (8, 1.0)
    assert asked(database, tmp_path, wanted=0) is None


@pytest.mark.parametrize("content", ["", "{}", '{"queries": [{"id": 3}]}', '{"queries": 7}', "[1"])
def test_a_damaged_file_is_said_with_what_to_do(first, content):
    database, reports = first
    (path,) = reports.glob("pinned-*.json")
    path.write_text(content)
    assert f"{path}: no pinned queries" in asked(database, reports)["problem"]
    assert "delete the file" in asked(database, reports)["problem"]
    assert path.read_text() == content


def test_queries_of_another_width_are_none_of_this_model(first):
    database, reports = first
    (path,) = reports.glob("pinned-*.json")
    content = json.loads(path.read_text())
    content["queries"][0]["code"] = "00"
    path.write_text(json.dumps(content))
    assert "has not 16 bits" in asked(database, reports)["problem"]
