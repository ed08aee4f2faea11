"""Driver: in a DVC project change one key of params.yaml after the other, and tell which stages really ran."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from dvc.repo import Repo

RUNS = Path("runs.log")


def other(value: Any) -> Any:
    """A value that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}-other"
    return [*value, 5] if isinstance(value, list) else 7


def main() -> None:
    """Reproduce once, then with each key of the list changed alone; print the stages that ran, by key."""
    repo, keys = Repo("."), json.loads(sys.argv[1])
    base, ran = Path("params.yaml").read_text(), {}
    for key in ["", *keys]:
        params = yaml.safe_load(base)
        *sections, name = key.split(".")
        section = params
        for part in sections:
            section = section[part]
        if key:
            section[name] = other(section[name])
        Path("params.yaml").write_text(yaml.safe_dump(params))
        RUNS.write_text("")
        repo._reset()
        repo.reproduce(targets=["report"])
        ran[key] = RUNS.read_text().split()
    print(json.dumps(ran))


if __name__ == "__main__":
    main()
