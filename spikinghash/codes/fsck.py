"""Account for everything: what the database holds, what it refused, and what of the inputs is still to be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spikinghash.codes.check_files import check_files
from spikinghash.codes.check_rows import CHECKED, check_rows
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.inputs import open_inputs
from spikinghash.codes.refusals import Refusals, absolute
from spikinghash.codes.schema import QUARANTINE_ROWS
from spikinghash.codes.store_errors import store_errors
from spikinghash.errors import BadRecording, ConfigError

#: Problems told in full; the rest are counted.
_TOLD = 20


@dataclass
class Accounts:
    """Recordings by what became of them, and what is wrong with the tables.

    Without inputs `committed` and `quarantined` are what the tables hold. With inputs they count those inputs, and
    found = committed + quarantined + pending; a recording that was refused once and hashed later counts as committed.
    `duplicates` are rows beyond the first of a clip and model, `missing` data files of either table that are gone,
    cannot be read or hold other bytes than were committed, `damaged` rows whose code has another width than its model's
    or whose clip is not of their recording. `unverified` files have no digest, for an older version or another program
    wrote them; compaction gives them one.
    """

    found: int | None = None
    committed: int = 0
    quarantined: int = 0
    pending: int = 0
    duplicates: int = 0
    missing: int = 0
    damaged: int = 0
    unverified: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing is doubled, missing or damaged, and nothing is left to be done."""
        return not (self.duplicates or self.missing or self.damaged or self.pending)

    def tell(self, problem: str) -> None:
        """Remember a problem, the first ones in full."""
        if len(self.problems) < _TOLD:
            self.problems.append(problem)

    def to_json(self) -> dict[str, Any]:
        """The JSON keys of the command line contract, and more."""
        found = {} if self.found is None else {"found": self.found}
        keys = ("committed", "quarantined", "pending", "duplicates", "missing", "damaged", "unverified", "problems")
        return (
            found | {k: getattr(self, k) for k in keys} | {"reasons": dict(sorted(self.reasons.items())), "ok": self.ok}
        )


def fsck(database: CodeDatabase, model: str | None = None, files: Iterable[Path] | None = None) -> Accounts:
    """Check every file, and every row of one model or of all, and account for `files` where given.

    `ConfigError` if `files` are given and the database holds several models but none is named, `BadStore` for a log
    that is not whole, for then nobody knows which files count.
    """
    accounts = Accounts()
    codes = _readable(database, "codes", CHECKED, accounts)
    faults = check_rows(codes, model)
    refused = pa.concat_tables(
        [QUARANTINE_ROWS.empty_table(), *_readable(database, "quarantine", QUARANTINE_ROWS, accounts)]
    )
    if model is not None:
        refused = refused.filter(pc.equal(refused.column("model"), model))
    accounts.duplicates, accounts.damaged = faults.doubled, faults.damaged
    for problem in faults.problems:
        accounts.tell(problem)
    committed = {sha256 for sha256, _ in faults.recordings}
    if files is None:
        _count(accounts, committed, _places(codes, model), refused)
        return accounts
    if model is None and len(database.models()) > 1:
        raise ConfigError(f"{database.shown} holds codes of several models; name one with --model")
    _account(accounts, files, committed, Refusals(refused))
    return accounts


def _count(accounts: Accounts, committed: set[str], places: set[str], refused: pa.Table) -> None:
    """What the tables hold, by recording: contents where they are known, else the path."""
    accounts.committed = len(committed)
    for who, refusal in Refusals(refused):
        if who not in committed and who not in places:
            accounts.quarantined += 1
            accounts.reasons[refusal.reason] += 1


def _places(codes: list[pa.Table], model: str | None) -> set[str]:
    """Absolute paths of the recordings that have codes."""
    places = set()
    for table in codes:
        for recording, digest in zip(*(table.column(c).to_pylist() for c in ("recording", "model")), strict=True):
            if model is None or digest == model:
                places.add(absolute(recording))
    return places


def _account(accounts: Accounts, files: Iterable[Path], committed: set[str], refusals: Refusals) -> None:
    accounts.found = 0
    for item in open_inputs(files):
        accounts.found += 1
        sha256 = None if isinstance(item.source, BadRecording) else item.source.sha256
        refusal = refusals.find(sha256, item.path)
        if sha256 in committed:
            accounts.committed += 1
        elif refusal is not None:
            accounts.quarantined += 1
            accounts.reasons[refusal.reason] += 1
        else:
            accounts.pending += 1
            accounts.tell(f"{item.path}: neither committed nor quarantined")


def _readable(database: CodeDatabase, name: str, schema: pa.Schema, accounts: Accounts) -> list[pa.Table]:
    """The rows of every data file that holds what was committed; the others are told."""
    found = []
    with store_errors(f"{database.uri}/{name}"):
        for check in check_files(database.snapshot(name), schema):
            accounts.unverified += check.file.digest is None and check.rows is not None
            if check.rows is None:
                accounts.missing += 1
                accounts.tell(f"{name}/{check.file.path}: {check.problem}; `spikinghash fsck --repair` drops its rows")
            else:
                found.append(check.rows)
    return found
