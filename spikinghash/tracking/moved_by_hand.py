"""A champion that was changed past the log, in MLflow's own page for example: the log takes it down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spikinghash.tracking.head import Head, read_head
from spikinghash.tracking.promotion_log import Entry, new_entry, write_entry
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import client_for

REASON = "the alias was moved by other means; nobody said why"


def record_moved(uri: str, name: str) -> Entry | None:
    """Write down a change that the log does not know, None where there is none; `ConfigError` for an unknown model."""
    client = client_for(uri)
    with registry_errors(uri):
        return record_moved_from(client, name, read_head(client, uri, name))


def record_moved_from(client: Any, name: str, head: Head) -> Entry | None:
    """As `record_moved`, of a registered model as one read showed it."""
    log, champion = head.log, head.champion
    last = head.logged_champion
    # an entry that is under way may be about to say so itself; without a champion there is nothing to go back to
    if champion is None or champion == last or any(entry.state == "pending" for entry in log):
        return None
    entry = replace(new_entry(log, "by-hand", last, champion, REASON), state="done")
    write_entry(client, name, entry)
    return entry
