"""A database of ten recordings of one model, and the ways in which one is damaged."""

import datetime
import hashlib
import json
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from spikinghash.codes.database import CodeDatabase

MODEL = "ab" * 32
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
RECORDINGS = 10


def sha_of(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def rows_of(numbers, clips=2, model=MODEL):
    """Rows of recordings as `encode` makes them: named by contents and times."""
    found = []
    for number in numbers:
        for clip in range(clips):
            start, end = 100 * clip, 100 * clip + 99
            found.append(
                {
                    "clip_id": f"{sha_of(number)}@{start}-{end}", "recording": f"in/{number}.bin",
                    "recording_sha256": sha_of(number), "start_us": start, "end_us": end,
                    "code": bytes([number, clip]), "model": model, "frames": "f", "encoded_at": NOW,
                }
            )  # fmt: skip
    return pa.Table.from_pylist(found)


def refusal(number, reason="truncated", path=None, sha256="", seen_at=NOW):
    return pa.Table.from_pylist(
        [
            {
                "path": path or f"in/bad-{number}.bin", "sha256": sha_of(number) if sha256 == "" else sha256,
                "reason": reason, "message": "m", "model": MODEL, "seen_at": seen_at,
            }
        ]
    )  # fmt: skip


def sound(folder):
    """Five commits of two recordings each, and a quarantine row."""
    database = CodeDatabase.create_or_open(folder / "db")
    for number in range(0, RECORDINGS, 2):
        database.append(rows_of([number, number + 1]))
    database.quarantine(refusal(100))
    return database


def data(database, table="codes"):
    return sorted(Path(database.uri, table).rglob("part-*.parquet"), key=lambda p: p.stat().st_mtime_ns)


def entry(database, version, table="codes"):
    return Path(database.uri, table, "_delta_log", f"{version:020}.json")


def content(database):
    """{clip: code} and the quarantine, as a person who trusts nothing would compare them."""
    rows = database.rows()
    return dict(zip(rows.column("clip_id").to_pylist(), rows.column("code").to_pylist(), strict=True))


def lose(database):
    data(database)[1].unlink()


def cut(database):
    path = data(database)[1]
    path.write_bytes(path.read_bytes()[:-40])


def empty(database):
    data(database)[1].write_bytes(b"")


def swap(database):
    one, two = data(database)[1:3]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def flip(database):
    path = data(database)[1]
    body = bytearray(path.read_bytes())
    body[len(body) // 3] ^= 4
    path.write_bytes(body)


def empty_last_entry(database):
    entry(database, 5).write_bytes(b"")


def empty_entry(database):
    entry(database, 2).write_bytes(b"")


def cut_entry(database):
    """At the end of a line: what is left is valid JSON and says nothing of a file."""
    lines = entry(database, 5).read_bytes().splitlines(keepends=True)
    entry(database, 5).write_bytes(lines[0])


def missing_entry(database):
    entry(database, 3).unlink()


def missing_first_entry(database):
    entry(database, 0).unlink()


def missing_last_entry(database):
    entry(database, 5).unlink()


def garbage_entry(database):
    entry(database, 2).write_bytes(b"\xff\x00{")


def lost_log(database):
    for path in Path(database.uri, "codes", "_delta_log").iterdir():
        path.unlink()
    Path(database.uri, "codes", "_delta_log").rmdir()


def lost_quarantine_log(database):
    for path in Path(database.uri, "quarantine", "_delta_log").iterdir():
        path.unlink()


def doubled(database):
    """Rows that another program appended a second time."""
    write_deltalake(str(Path(database.uri, "codes")), database.rows().slice(0, 3), mode="append")


def contradicting(database):
    """A clip that is there twice with different codes: nobody knows which is right."""
    rows = database.rows().slice(0, 1)
    other = rows.set_column(rows.column_names.index("code"), rows.schema.field("code"), [[b"\x7f\x7f"]])
    write_deltalake(str(Path(database.uri, "codes")), other, mode="append")


def foreign_recording(database):
    """A clip under the name of one recording with the SHA-256 of another."""
    rows = rows_of([50], clips=1)
    index = rows.column_names.index("recording_sha256")
    write_deltalake(
        str(Path(database.uri, "codes")),
        pa.Table.from_pylist(
            rows.set_column(index, "recording_sha256", [[sha_of(51)]]).to_pylist(), schema=database.rows().schema
        ),
        mode="append",
    )  # fmt: skip


def older_schema(database):
    log = entry(database, 0)
    log.write_text(log.read_text().replace('"spikinghash.schema":"2"', '"spikinghash.schema":"0"'))


def log_lines(database, version):
    return [json.loads(line) for line in entry(database, version).read_text().splitlines()]
