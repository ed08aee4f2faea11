"""Opening the tables of a code database: ours, whole, and not older than they were."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from pyarrow import fs

from spikinghash.codes.log_check import broken_entries, log_state
from spikinghash.codes.newest import newest
from spikinghash.codes.schema import CODE_ROWS, QUARANTINE_ROWS
from spikinghash.codes.store_errors import ADVICE, store_errors
from spikinghash.codes.table_files import folder_of, open_files
from spikinghash.errors import BadStore, ConfigError
from spikinghash.redact import redact
from spikinghash.schema import CODE_SCHEMA_VERSION

VERSION_KEY = "spikinghash.schema"
#: Tables without `LATER_COLUMNS` are read and added to as they are.
_FIRST = "1"
_GONE = "restore them from a copy, or name a new folder"
TABLES: Mapping[str, pa.Schema] = {"codes": CODE_ROWS, "quarantine": QUARANTINE_ROWS}


def open_table(uri: str, name: str, options: dict[str, str], version: int | None = None) -> DeltaTable:
    """The newest snapshot of a table of the database at `uri`, or that of a `version`.

    `BadStore` where there is none, it is of another schema version, its log is not whole, or older than it was.
    """
    where = f"{uri}/{name}"
    refuse_links(where)
    # before the table is read: a writer beside us may be quicker than we are
    folder = folder_of(where)
    known = None if folder is None else newest(folder)
    try:
        with store_errors(where):
            broken = broken_entries(open_files(where, options), where)
            if broken:
                raise BadStore(f"{redact(where)}: its log is damaged or unreadable: {_told(broken)}; {ADVICE}")
            table = DeltaTable(where, storage_options=options)
            now = table.version()
            if version is not None:
                if not 0 <= version <= now:
                    raise ConfigError(f"{redact(where)}: no version {version}; the newest is {now}")
                table.load_as_version(version)
    except BadStore as error:
        if isinstance(error.__cause__, TableNotFoundError):
            refuse_lost_log(where, options)
            raise BadStore(f"{redact(uri)}: no code database here; `spikinghash encode` makes one") from None
        raise
    found = table.metadata().configuration.get(VERSION_KEY)
    if found not in (str(CODE_SCHEMA_VERSION), _FIRST):
        raise BadStore(
            f"{redact(where)}: schema version {found}, this program reads {CODE_SCHEMA_VERSION}; nothing was changed: "
            "read it with the program that wrote it, or encode into a new database"
        )
    if known is not None and (known[0] > now or known[1] != str(table.metadata().id)):
        raise BadStore(f"{redact(where)}: its log went backwards: version {now}, {known[0]} was committed; {ADVICE}")
    return table


def create_table(uri: str, name: str, options: dict[str, str]) -> None:
    """Make a table of the database if it is not there; two processes may do so at once.

    `BadStore` where data files lie but no log, for a new log would leave them out without a word.
    """
    where = f"{uri}/{name}"
    refuse_links(where)
    refuse_lost_log(where, options)
    if name == "codes" and not something_there(where, options) and something_there(f"{uri}/quarantine", options):
        # the codes are made first: they were there, and a new table would leave them out without a word
        raise BadStore(f"{redact(where)}: the codes are gone, the quarantine is there; {_GONE}")
    try:
        with store_errors(where, writing=True):
            DeltaTable.create(
                where,
                TABLES[name],
                mode="ignore",
                partition_by=["model"] if name == "codes" else None,
                name=name,
                configuration={VERSION_KEY: str(CODE_SCHEMA_VERSION)},
                storage_options=options,
                raise_if_key_not_exists=False,
            )
    except CommitFailedError:
        pass  # another process made it between our look and our commit


def refuse_lost_log(where: str, options: dict[str, str]) -> None:
    """`BadStore` for a table that has data files, or is known to have had a version, but no log."""
    with store_errors(where):
        store = open_files(where, options)
        if log_state(store).last >= 0:
            return
        files = lying_files(store)
    folder = folder_of(where)
    if (not files and (folder is None or newest(folder) is None)) or log_state(store).last >= 0:
        return  # the second look: another process may be making the table
    raise BadStore(f"{redact(where)}: its log is lost, {len(files)} data files lie without it; {ADVICE}")


def something_there(where: str, options: dict[str, str]) -> bool:
    """Whether a table, or what is left of one, is at an address."""
    store, folder = open_files(where, options), folder_of(where)
    known = folder is not None and newest(folder) is not None
    return known or log_state(store).last >= 0 or bool(lying_files(store))


def lying_files(store: fs.FileSystem) -> list[str]:
    """Paths of all data files that lie in a table, whether its log names them or not; sorted."""
    there = store.get_file_info(fs.FileSelector("", recursive=True, allow_not_found=True))
    files = [info.path for info in there if info.type == fs.FileType.File and info.path.endswith(".parquet")]
    return sorted(path for path in files if not path.startswith(("_", ".")))


def refuse_links(where: str, deep: bool = False) -> None:
    """`BadStore` for a local table that is, or has, a linked folder: what it leads to is no part of the table.

    Links to single files are read, as tools that share contents between folders make them; they are never followed
    when files are deleted. `deep` looks below the folders of the partitions too.
    """
    folder = folder_of(where)
    if folder is None:
        return
    if folder.is_symlink():
        raise BadStore(f"{folder}: is a link; link the whole database, not a table of it")
    for at, folders, _ in os.walk(folder):
        for name in folders:
            if Path(at, name).is_symlink():
                raise BadStore(f"{Path(at, name)}: is a link to another folder; a database has none, remove it")
        if not deep:
            return


def _told(broken: dict[int, str]) -> str:
    first = ", ".join(f"entry {version} {what}" for version, what in list(broken.items())[:3])
    return first + (f" and {len(broken) - 3} more" if len(broken) > 3 else "")
