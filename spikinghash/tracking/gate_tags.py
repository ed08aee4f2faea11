"""The gate's verdict on a version, as tags of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GATE, AGAINST, _RULE = "gate", "gate.against", "gate.rule."
PASSED, REFUSED = "passed", "refused"
#: MLflow keeps tags up to 5,000 characters.
_LONGEST = 1000


def write_verdict(client: Any, name: str, version: int, verdict: Mapping[str, Any]) -> None:
    """Say on a version whether it passed, against which champion, and what each rule found.

    The verdict itself is written last: one that was broken off reads as before, or as none.
    """
    for finding in verdict["findings"]:
        said = f"{PASSED if finding['passed'] else REFUSED}: {finding['said']}"[:_LONGEST]
        client.set_model_version_tag(name, str(version), _RULE + finding["rule"], said)
    client.set_model_version_tag(name, str(version), AGAINST, verdict["champion"] or "none")
    client.set_model_version_tag(name, str(version), GATE, PASSED if verdict["passed"] else REFUSED)


def verdict_of(tags: Mapping[str, str]) -> str | None:
    """`passed`, `refused`, or None for a version that no gate has seen."""
    return tags.get(GATE)


def refusals_of(tags: Mapping[str, str]) -> list[str]:
    """What spoke against a version, a line for each rule."""
    found = {key.removeprefix(_RULE): value for key, value in tags.items() if key.startswith(_RULE)}
    return [f"{rule}: {said.partition(': ')[2]}" for rule, said in sorted(found.items()) if said.startswith(REFUSED)]
