"""A database made by someone else: it reads, writes and deletes nothing outside its own folder."""

import json
from pathlib import Path

import damaged
import pytest
from damaged import MODEL, data, rows_of, sound
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.database import CodeDatabase
from spikinghash.errors import BadStore
from spikinghash.index.searcher import open_searcher


def rename_in_log(database, version, change):
    lines = damaged.log_lines(database, version)
    for line in lines:
        if "add" in line:
            change(line["add"])
    damaged.entry(database, version).write_text("\n".join(json.dumps(line) for line in lines))


@pytest.mark.parametrize(
    "spelling",
    ["../../outside/{}", "/{0}", "model=x/../../../outside/{}", "file:///{0}", "..%2F..%2Foutside/{}"],
)
def test_a_data_file_outside_the_table_is_neither_read_nor_copied(tmp_path, spelling):
    database = sound(tmp_path)
    path = data(database)[0]
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / path.name).write_bytes(path.read_bytes())
    where = spelling.format(path.name) if "outside" in spelling else spelling.format(str(outside / path.name)[1:])
    rename_in_log(database, 1, lambda add: add.update(path=where))
    for use in (database.load, database.rows, database.compact, lambda: database.append(rows_of([9]))):
        with pytest.raises(BadStore, match=r"no file of this table|damaged or unreadable"):
            use()


@pytest.mark.parametrize("model", ["../../../evil", "/tmp/evil", "..", "m1"])
def test_no_index_is_written_under_a_name_that_is_no_digest(tmp_path, model):
    database = CodeDatabase.create_or_open(tmp_path / "a/b/db")
    database.append(rows_of([1], model=model))
    done = CliRunner().invoke(app, ["index", "--db", database.uri, "--json"])
    assert done.exit_code == 1
    assert "no digest of a model" in json.loads(done.stdout)["error"]["message"]
    assert not list(tmp_path.rglob("index.json"))
    assert CliRunner().invoke(app, ["index", "--db", database.uri, "--out", str(tmp_path / "i")]).exit_code == 0


@pytest.mark.parametrize("place", ["index", f"index/{MODEL}"])
def test_no_index_is_written_through_a_link(tmp_path, place):
    database = sound(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    link = Path(database.uri, place)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    assert CliRunner().invoke(app, ["index", "--db", database.uri]).exit_code == 1
    assert not list(outside.iterdir())


@pytest.mark.parametrize("place", ["codes/photos", "codes/model=x", "codes/deep/photos", "quarantine/photos"])
def test_vacuum_deletes_nothing_through_a_linked_folder(tmp_path, place):
    database = sound(tmp_path)
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "one.parquet").write_text("mine")
    link = Path(database.uri, place)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(photos)
    with pytest.raises(BadStore, match="is a link to another folder"):
        database.vacuum(0, no_writers=True)
    assert (photos / "one.parquet").exists()


def test_a_table_that_is_a_link_is_refused_and_a_linked_database_is_not(tmp_path):
    database = sound(tmp_path)
    (tmp_path / "link").symlink_to(database.uri)
    assert CodeDatabase.open(tmp_path / "link").rows().num_rows == 20
    other = tmp_path / "other"
    other.mkdir()
    for table in ("codes", "quarantine"):
        (other / table).symlink_to(Path(database.uri, table))
    with pytest.raises(BadStore, match="is a link"):
        CodeDatabase.open(other)


def test_files_that_are_links_are_read(tmp_path):
    """Tools that share contents between folders make each file a link."""
    database = sound(tmp_path)
    for number, path in enumerate(data(database)):
        path.rename(tmp_path / f"shared-{number}")
        path.symlink_to(tmp_path / f"shared-{number}")
    assert len(open_searcher(CodeDatabase.open(database.uri), MODEL, None)) == 20
