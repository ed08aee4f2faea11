"""What the registry holds: versions with the numbers of their runs, aliases, and the promotion log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from spikinghash.errors import ConfigError
from spikinghash.redact import redact
from spikinghash.tracking.gate_tags import refusals_of, verdict_of
from spikinghash.tracking.head import ABSENT, CHAMPION, Head, read_head
from spikinghash.tracking.promotion_log import Entry
from spikinghash.tracking.registry_errors import registry_errors
from spikinghash.tracking.run import client_for
from spikinghash.tracking.version_tags import DIGEST, EVALUATED


@dataclass(frozen=True)
class Registry:
    """`versions` as `describe` gives them, newest first; `problems` are lines for a person."""

    versions: list[dict[str, Any]]
    aliases: dict[str, int]
    log: list[Entry]
    problems: list[str] = field(default_factory=list)

    @property
    def champion(self) -> dict[str, Any] | None:
        """The version in use, None for none or one that is not among `versions`."""
        number = self.aliases.get(CHAMPION)
        return next((one for one in self.versions if one["version"] == number), None)

    def to_json(self) -> dict[str, Any]:
        """The JSON keys of the command line contract, and `problems`."""
        return {
            "versions": self.versions, "aliases": self.aliases, "log": [entry.to_json() for entry in self.log],
            "problems": self.problems,
        }  # fmt: skip


def read_registry(uri: str, name: str, version: int | None = None) -> Registry:
    """All versions of a model with the whole log, or one version with all metrics and the entries that concern it.

    `ConfigError` for an unknown model or version.
    """
    client = client_for(uri)
    with registry_errors(uri):
        head = read_head(client, uri, name)
        found = sorted(versions_of(client, name), key=lambda v: -int(v.version))
        numbers = [int(v.version) for v in found]
        if version is not None:
            check_version(version, numbers, uri, name)
        chosen = [v for v in found if version in (None, int(v.version))]
        described = [_describe(client, v, head.aliases, whole=version is not None) for v in chosen]
        concerned = [entry for entry in head.log if version is None or version in (entry.source, entry.to)]
        return Registry(described, head.aliases, concerned, _problems(head))


def check_version(version: int, numbers: list[int], uri: str, name: str) -> None:
    """`ConfigError` unless the version is one of `numbers`."""
    if version not in numbers:
        known = ", ".join(map(str, sorted(numbers))) or "none"
        raise ConfigError(f"{name}: no version {version} in the registry {redact(uri)}; versions: {known}")


def version_numbers(client: Any, name: str) -> list[int]:
    """The versions there are, ascending."""
    return sorted(int(v.version) for v in versions_of(client, name))


def versions_of(client: Any, name: str) -> list[Any]:
    """The versions of a model as MLflow gives them, none for an unknown model."""
    if "'" in name:
        raise ConfigError(f"{name!r} is no name of a model; it must not contain a quote")
    return list(client.search_model_versions(f"name='{name}'"))


def _describe(client: Any, version: Any, aliases: dict[str, int], *, whole: bool) -> dict[str, Any]:
    """One version as plain values; what its run does not say is None. `whole`: with all metrics of the run."""
    # the evaluation that was added last; files lie with the first one
    run_id = version.tags.get(EVALUATED, version.run_id)
    run = _run(client, run_id)
    params, metrics, tags = ({}, {}, {}) if run is None else (run.data.params, run.data.metrics, run.data.tags)
    bits = params.get("model.bits", "")
    number = int(version.version)
    created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    described: dict[str, Any] = {
        "version": number,
        "created": created.isoformat(timespec="seconds"),
        "digest": version.tags.get(DIGEST, tags.get(DIGEST)),
        "method": params.get("model.method"),
        "size": params.get("model.network_size", params.get("model.size")),
        "bits": int(bits) if bits.isdigit() else None,
        "map": metrics.get("map"),
        "gate": verdict_of(version.tags),
        "refused": refusals_of(version.tags),
        "run_id": run_id or None,
        "aliases": [alias for alias, pointed in aliases.items() if pointed == number],
    }
    return described | ({"metrics": dict(sorted(metrics.items()))} if whole else {})


def _run(client: Any, run_id: str | None) -> Any | None:
    from mlflow.exceptions import MlflowException

    if not run_id:
        return None
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == ABSENT:  # removed since; the version may still be good
            return None
        raise


def _problems(head: Head) -> list[str]:
    log, champion = head.log, head.champion
    problems = [
        f"{entry.action} of version {entry.to} ({entry.time}) has not moved the alias: under way, or broken off"
        for entry in log
        if entry.state == "pending"
    ]
    last = head.logged_champion
    if last != champion:
        now = "no version is champion" if champion is None else f"version {champion} is champion"
        then = "is empty" if last is None else f"ends with version {last}"
        problems.append(f"{now}, but the log {then}: the alias was moved by other means")
    return problems
