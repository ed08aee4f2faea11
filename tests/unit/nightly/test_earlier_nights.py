"""Which earlier night tonight is compared with, and what its growth is then."""

import json
from datetime import timedelta

from archive_cases import DAY, START, archive, some_codes

from spikinghash.codes.table_size import TableSize, table_size
from spikinghash.nightly.earlier_nights import night_before, week_ago
from spikinghash.nightly.growth import growth


def night(folder, began, number=1, **content):
    stem = f"night-{began:%Y-%m-%dT%H%M%SZ}" + (f"-{number}" if number > 1 else "")
    (folder / f"{stem}.json").write_text(json.dumps({"db": "d", "model": "m"} | content))


def test_the_newest_one_that_is_old_enough(tmp_path):
    for days in range(0, 20, 2):
        night(tmp_path, START + days * DAY, mark=days)
    night(tmp_path, START + 10 * DAY, number=2, mark="second")
    tonight = START + 18 * DAY + timedelta(microseconds=5)
    assert night_before(tmp_path, tonight, "d").report["mark"] == 16
    assert week_ago(tmp_path, tonight, "d").report["mark"] == "second"
    assert week_ago(tmp_path, tonight, "d").began == START + 10 * DAY


def test_other_databases_models_and_broken_reports_do_not_count(tmp_path):
    night(tmp_path, START, mark="right")
    night(tmp_path, START + DAY, db="other")
    night(tmp_path, START + 2 * DAY, model="other", mark="other")
    (tmp_path / "night-2026-11-04T010000Z.json").write_bytes(b"")
    (tmp_path / "night-2026-11-05T010000Z.json").write_text("[]")
    (tmp_path / "night-2026-11-06T010000Z.json").write_text('{"encode": {}}')
    (tmp_path / "night-of-mine.json").write_text("{}")
    (tmp_path / "pinned-m.json").write_text("{}")
    tonight = START + 20 * DAY
    assert week_ago(tmp_path, tonight, "d", "m").report["mark"] == "right"
    assert week_ago(tmp_path, tonight, "d").report["mark"] == "other"
    assert night_before(tmp_path, tonight, "d").report["mark"] == "other"
    assert week_ago(tmp_path, START + 6 * DAY, "d") is None
    assert night_before(tmp_path / "nowhere", tonight, "d") is None


def test_growth_is_between_two_looks_and_since_a_week(tmp_path):
    codes = some_codes(9)
    before = table_size(str(tmp_path / "db"))
    assert before == TableSize(0, 0)
    archive(tmp_path / "db", ([0, 1, 2], codes, START))
    after = table_size(str(tmp_path / "db"))
    files = list((tmp_path / "db/codes").rglob("*.parquet"))
    assert after == TableSize(3, sum(path.stat().st_size for path in files))
    archive(tmp_path / "db", ([3, 4], codes, START))
    later = table_size(str(tmp_path / "db"))
    assert (later.codes, later.bytes > after.bytes) == (5, True)
    night(tmp_path, START, growth=growth(before, after, None))
    found = growth(after, later, week_ago(tmp_path, START + 8 * DAY, "d"))
    assert (found["before"], found["after"]) == (after.to_json(), later.to_json())
    assert (found["week_ago"], found["week_ago_began"]) == (after.to_json(), START.isoformat())
    assert growth(after, later, None)["week_ago"] is None
