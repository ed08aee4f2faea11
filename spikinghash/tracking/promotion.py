"""Changing the champion: checked before, one atomic step, logged so that a crash is never silent.

The order is: settle what a crash left open; write the entry as open; look again, and give way if anyone else is
changing the champion; move the alias, which is one call and one row; write the entry as done. Killed before the move,
the old champion stays and the entry shows as pending; killed after it, the alias proves the entry done. A writer that
sleeps for all of another's change between its last look and its move can still overwrite it; both entries then
are in the log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from spikinghash.errors import ConfigError, Temporary
from spikinghash.tracking.gate_tags import REFUSED, refusals_of, verdict_of
from spikinghash.tracking.head import CHAMPION, read_head
from spikinghash.tracking.moved_by_hand import record_moved_from
from spikinghash.tracking.promotion_log import (
    Action,
    Entry,
    new_entry,
    previous_champion,
    read_log,
    settle,
    write_entry,
)
from spikinghash.tracking.registry import load_registered
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import client_for
from spikinghash.tracking.versions import check_version, version_numbers

_LONGEST_REASON = 1000


def promote(uri: str, name: str, version: int, reason: str, override: str | None = None) -> Entry:
    """Make a version champion; returns the log's entry. One that the gate refused needs a reason in `override`.

    `ConfigError` for an empty reason, an unknown version, a refused one and the champion itself, `BadCheckpoint` for
    files that do not load, `Temporary` when someone else changes the champion at this moment.
    """
    reason, override = said_why(reason, override)
    client = client_for(uri)
    with registry_errors(uri):
        champion = read_head(client, uri, name).champion
        if champion == version:
            raise ConfigError(f"{name}: version {version} is champion already; nothing to do")
        digest = _check_files(client, uri, name, version)
        refused = _refusals(client, name, version, override)
        change = Change("promote", champion, version, reason, digest, override if refused else None)
        return _switch(client, uri, name, change)


def rollback(uri: str, name: str, reason: str) -> Entry:
    """Return to the champion before this one, by the log; arguments and errors as `promote`."""
    reason = _one_line(reason, "the reason")
    client = client_for(uri)
    with registry_errors(uri):
        head = read_head(client, uri, name)
        champion = head.champion
        if champion is None:
            raise ConfigError(f"{name}: no version is champion; make one with `spikinghash registry promote`")
        before = previous_champion(head.log, champion)
        if before is None:
            raise ConfigError(
                f"{name}: the log knows no champion before version {champion}; name one with `spikinghash registry "
                "promote`"
            )
        digest = _check_files(client, uri, name, before)
        return _switch(client, uri, name, Change("rollback", champion, before, reason, digest))


@dataclass(frozen=True)
class Change:
    """What is to become champion, and why."""

    action: Action
    source: int | None
    to: int
    reason: str
    digest: str
    override: str | None = None


def _switch(client: Any, uri: str, name: str, change: Change) -> Entry:
    head = read_head(client, uri, name)
    settle(client, name, head.tags, head.log)
    if record_moved_from(client, name, head) is not None:
        head = read_head(client, uri, name)
    entry = new_entry(head.log, change.action, change.source, change.to, change.reason, change.digest, change.override)
    write_entry(client, name, entry)
    now = read_head(client, uri, name)
    # without a champion to go by, every entry shows as it was written
    still_open = [e.key for e in read_log(now.tags, None) if e.state == "pending"]
    if still_open != [entry.key] or now.champion != change.source:
        write_entry(client, name, replace(entry, state="abandoned"))
        raise Temporary(f"{name}: someone else is changing the champion; look at the list and run the command again")
    client.set_registered_model_alias(name, CHAMPION, str(change.to))
    done = replace(entry, state="done")
    write_entry(client, name, done)
    return done


def _check_files(client: Any, uri: str, name: str, version: int) -> str:
    """The version is there, and its files load with the digest that was registered; the digest."""
    check_version(version, version_numbers(client, name), uri, name)
    return load_registered(uri, f"models:/{name}/{version}").digest


def check_gate(uri: str, name: str, version: int, override: str | None = None) -> None:
    """`ConfigError` for a version that is not there, or that the gate refused and no reason overrides."""
    client = client_for(uri)
    with registry_errors(uri):
        read_head(client, uri, name)
        check_version(version, version_numbers(client, name), uri, name)
        _refusals(client, name, version, override)


def _refusals(client: Any, name: str, version: int, override: str | None) -> list[str]:
    """What the gate said against a version; nothing where it passed, or no gate has seen it."""
    tags = client.get_model_version(name, str(version)).tags
    if verdict_of(tags) != REFUSED:
        return []
    refused = refusals_of(tags) or ["it does not say why"]
    if override is None:
        raise ConfigError(
            f"{name}: the gate refused version {version}: {'; '.join(refused)}; `--override WHY` promotes it all the "
            "same"
        )
    return refused


def said_why(reason: str, override: str | None) -> tuple[str, str | None]:
    """Both as the log keeps them, on one line; `ConfigError` for one that says nothing or too much."""
    return _one_line(reason, "the reason"), None if override is None else _one_line(override, "what --override says")


def _one_line(why: str, name: str) -> str:
    text = " ".join(why.split())
    if not text:
        raise ConfigError(f"{name} is empty; say in a few words why the champion changes")
    if len(text) > _LONGEST_REASON:
        raise ConfigError(f"{name} has {len(text)} characters; at most {_LONGEST_REASON} are kept")
    return text
