"""The promotion log: which model was champion, since when and why, kept in the registry itself.

Every entry is one tag of the registered model, `promotion.<number>.<random>`, with a JSON value. An entry is written
as `open` before the alias moves, and as `done` after it; both are single writes. A crash leaves it open, and what
happened is then read off the alias: it points at the entry's `to` only if the move took place, because an entry never
leads to the version that is champion already. The next change settles such an entry before it opens its own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from spikinghash.errors import BadStore

_PREFIX = "promotion."
#: "by-hand": the alias was moved past us, and found so later.
Action = Literal["promote", "rollback", "by-hand"]


@dataclass(frozen=True)
class Entry:
    """One change of champion. `source` is the version before, None for the first; `time` is UTC in ISO format.

    `state` is `done` (the alias moved), `pending` (it has not: under way, or broken off by a crash) or `abandoned`
    (broken off, and settled by a later command). `digest` is that of the model in `to` when it was checked, None in
    entries of older programs. `override` says why a version was promoted that the gate had refused.
    """

    key: str
    time: str
    action: Action
    source: int | None
    to: int
    reason: str
    state: Literal["done", "pending", "abandoned"]
    digest: str | None = None
    override: str | None = None

    def to_json(self) -> dict[str, Any]:
        """`time`, `from`, `to`, `action`, `reason`, `state`, `digest` and `override`."""
        return {
            "time": self.time, "from": self.source, "to": self.to, "action": self.action, "reason": self.reason,
            "state": self.state, "digest": self.digest, "override": self.override,
        }  # fmt: skip


def read_log(tags: dict[str, str], champion: int | None) -> list[Entry]:
    """The entries among the tags of a registered model, oldest first; both must come from one read of the model.

    `BadStore` for a tag that bears the name of an entry and is none.
    """
    entries = [_entry(key, tags[key]) for key in sorted(tags) if key.startswith(_PREFIX)]
    newest = max((i for i, entry in enumerate(entries) if entry.state != "abandoned"), default=None)
    if newest is not None and entries[newest].state == "pending" and entries[newest].to == champion:
        entries[newest] = replace(entries[newest], state="done")
    return entries


def new_entry(
    log: Sequence[Entry], action: Action, source: int | None, to: int, reason: str, digest: str | None = None,
    override: str | None = None,
) -> Entry:  # fmt: skip
    """An entry after those of `log`, not written yet. Its number orders the log, for clocks differ."""
    number = int(log[-1].key.split(".")[1]) + 1 if log else 1
    key = f"{_PREFIX}{number:08d}.{secrets.token_hex(4)}"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Entry(key, now, action, source, to, reason, "pending", digest, override)


def write_entry(client: Any, name: str, entry: Entry) -> None:
    """Write one entry with its state: a single upsert in the registry."""
    client.set_registered_model_tag(name, entry.key, json.dumps(asdict(entry), sort_keys=True))


def settle(client: Any, name: str, tags: dict[str, str], log: Sequence[Entry]) -> None:
    """Write down what became of entries that a crash left open."""
    for entry in log:
        if _entry(entry.key, tags[entry.key]).state == "pending":
            write_entry(client, name, replace(entry, state="done" if entry.state == "done" else "abandoned"))


def promoted_digest(log: Sequence[Entry], version: int) -> str | None:
    """Digest of the model in `version` when it last became champion; None where the log does not say."""
    return next((entry.digest for entry in reversed(log) if entry.to == version and entry.state == "done"), None)


def previous_champion(log: Sequence[Entry], champion: int) -> int | None:
    """The champion before `champion`, by what was done; None where the log knows of none.

    A rollback takes back the newest promotion that stands, so a second one goes further back and not forward again.
    """
    stack: list[int] = []
    for entry in log:
        if entry.state != "done":
            continue
        if entry.action == "rollback":
            while stack and stack[-1] != entry.to:
                stack.pop()
        elif entry.source is not None and stack[-1:] != [entry.source]:
            stack.append(entry.source)  # set by other means
        if stack[-1:] != [entry.to]:
            stack.append(entry.to)
    while stack and stack[-1] == champion:
        stack.pop()
    return stack[-1] if stack else None


def _entry(key: str, value: str) -> Entry:
    try:
        entry = Entry(**json.loads(value))
        if key != entry.key or not key.split(".")[1].isdigit():
            raise ValueError("another entry's name")
    except (ValueError, TypeError, AttributeError) as error:
        raise BadStore(f"tag {key} of the registered model is no promotion entry ({error}); delete the tag") from None
    return entry
