"""Account for everything: what the database holds, what it refused, and what of the inputs is still to be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake.exceptions import DeltaError

from spikinghash.codes.inputs import open_inputs
from spikinghash.codes.packing import code_bytes
from spikinghash.codes.rows import CODE_KEY, CODE_ROWS
from spikinghash.codes.table import CodeDatabase
from spikinghash.errors import BadRecording, ConfigError

#: Problems told in full; the rest are counted.
_TOLD = 20
_Seen = dict[tuple[str, str], bytes]


@dataclass
class Accounts:
    """Recordings by what became of them, and what is wrong with the tables.

    Without inputs `committed` and `quarantined` are what the tables hold. With inputs they count those inputs, and
    found = committed + quarantined + pending. `duplicates` are rows beyond the first of a clip and model, `missing`
    data files that the table's log names and that cannot be read, `damaged` rows whose code has another width than its
    model's.
    """

    found: int | None = None
    committed: int = 0
    quarantined: int = 0
    pending: int = 0
    duplicates: int = 0
    missing: int = 0
    damaged: int = 0
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
        keys = ("committed", "quarantined", "pending", "duplicates", "missing", "damaged", "problems")
        return (
            found | {k: getattr(self, k) for k in keys} | {"reasons": dict(sorted(self.reasons.items())), "ok": self.ok}
        )


def fsck(database: CodeDatabase, model: str | None = None, files: Iterable[Path] | None = None) -> Accounts:
    """Check every row of one model, or of all, and account for `files` where given.

    `ConfigError` if `files` are given and the database holds several models but none is named.
    """
    accounts = Accounts()
    committed = _check_rows(database, model, accounts)
    refused = database.quarantined(model)
    accounts.reasons.update(refused.column("reason").to_pylist())
    if files is None:
        accounts.committed, accounts.quarantined = len(committed), refused.num_rows
        return accounts
    if model is None and len(database.models()) > 1:
        raise ConfigError(f"{database.uri} holds codes of several models; name one with --model")
    bad = set(zip(*(refused.column(c).to_pylist() for c in ("sha256", "path")), strict=True))
    accounts.found = 0
    for item in open_inputs(files):
        accounts.found += 1
        sha256 = None if isinstance(item.source, BadRecording) else item.source.sha256
        if sha256 in committed:
            accounts.committed += 1
        elif (sha256, item.path) in bad:
            accounts.quarantined += 1
        else:
            accounts.pending += 1
            accounts.tell(f"{item.path}: neither committed nor quarantined")
    return accounts


def _check_rows(database: CodeDatabase, model: str | None, accounts: Accounts) -> set[str]:
    """Look at every data file on its own, so that one that is gone hides nothing of the others; committed SHA-256s."""
    seen: _Seen = {}
    widths: dict[str, int] = {}
    recordings: set[str] = set()
    columns = [*CODE_KEY, "recording_sha256", "code"]
    schema = pa.schema([CODE_ROWS.field(c) for c in columns])
    for path, read in database.data_files(columns):
        try:
            rows = read().cast(schema)
        except (OSError, pa.ArrowException, DeltaError) as error:
            accounts.missing += 1
            accounts.tell(f"{path}: cannot be read: {str(error).splitlines()[0]}")
            continue
        for clip_id, digest, sha256, code in zip(*(rows.column(c).to_pylist() for c in columns), strict=True):
            if model is not None and digest != model:
                continue
            recordings.add(sha256)
            if (clip_id, digest) in seen:
                accounts.duplicates += 1
                accounts.tell(f"clip {clip_id} of model {digest} is there more than once")
            seen[clip_id, digest] = code
            if len(code) != widths.setdefault(digest, len(code)) or code_bytes(len(code) * 8) != len(code):
                accounts.damaged += 1
                accounts.tell(f"clip {clip_id} of model {digest} has a code of {len(code)} bytes")
    return recordings
