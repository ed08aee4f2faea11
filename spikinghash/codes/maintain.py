"""Care for the files of a table: joining small ones, and deleting those that nobody needs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from deltalake import DeltaTable

from spikinghash.codes.append_rows import commit_files, next_mark
from spikinghash.codes.newest import remember
from spikinghash.codes.open_table import refuse_links
from spikinghash.codes.orphan_files import remove_staged
from spikinghash.codes.table_files import DataFile, data_files, dataset_of, local_folder
from spikinghash.codes.write_parts import write_parts
from spikinghash.errors import ConfigError

#: Bytes up to which data files are joined.
TARGET_BYTES = 128 << 20
#: Application id of everyone who rewrites files: two of them exclude each other.
REWRITE = "spikinghash:rewrite"
#: Hours that a vacuum keeps at least while runs may be writing: longer than any of them.
LEAST_KEEP_HOURS = 24.0
_MOST_KEEP_HOURS = 24.0 * 365 * 100


def compact(table: DeltaTable) -> None:
    """Join the small files of each partition as one commit; no row changes, files that were damaged are refused.

    Raises `CommitFailedError` where another program rewrote files meanwhile.
    """
    groups = list(_groups(data_files(table)))
    if not groups:
        return
    added = []
    for group in groups:
        added += write_parts(table, dataset_of(table, group).to_table(), data_change=False)
    commit_files(table, added, [file for group in groups for file in group], [next_mark(table, REWRITE)])


def _groups(files: list[DataFile]) -> Iterator[list[DataFile]]:
    """Files of one partition that become one; whole files, so that the clips of a recording stay together."""
    partitions: dict[tuple[str | None, ...], list[DataFile]] = {}
    for file in sorted(files, key=lambda file: (file.size, file.path)):
        partitions.setdefault(tuple(file.partition.values()), []).append(file)
    for small in partitions.values():
        group: list[DataFile] = []
        for file in small:
            if sum(one.size for one in group) + file.size > TARGET_BYTES:
                if len(group) > 1:
                    yield group
                group = []
            group.append(file)
        if len(group) > 1:
            yield group


def check_keep_hours(keep_hours: float, no_writers: bool) -> None:
    """`ConfigError` for a time that is none, or too short while runs may be writing."""
    if not math.isfinite(keep_hours) or keep_hours > _MOST_KEEP_HOURS:
        raise ConfigError(f"keep_hours must be a number of hours, is {keep_hours}")
    if keep_hours < 0:
        raise ConfigError(f"keep_hours must not be negative, is {keep_hours}")
    if keep_hours < LEAST_KEEP_HOURS and not no_writers:
        raise ConfigError(
            f"keep_hours is {keep_hours}: less than {LEAST_KEEP_HOURS:.0f} may delete what a run beside this one has "
            "written and not yet committed; if no run is writing, say so: --no-writers"
        )


def vacuum(table: DeltaTable, keep_hours: float) -> int:
    """Delete files that no version of the last `keep_hours` needs, and what killed runs left; how many."""
    folder = local_folder(table)
    if folder is not None:
        refuse_links(str(folder), deep=True)
    # "full": a file that was written but not committed when its run was killed is in no log
    gone = table.vacuum(math.ceil(keep_hours), False, enforce_retention_duration=False, full=True)
    if folder is not None:
        table.update_incremental()
        remember(folder, table)
    return len(gone) + remove_staged(folder, 3600 * keep_hours)
