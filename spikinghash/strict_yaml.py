"""YAML of settings, read strictly: each key once, a bounded size, nothing that unfolds into more than was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from spikinghash.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32


class _Strict(yaml.SafeLoader):
    """Plain values only, without aliases and repeated keys."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="aliases are not read here; write the value out", problem_mark=mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH}", problem_mark=mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {name} stands twice", problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Content of a settings file; `ConfigError` with the line for what is not read, `FileNotFoundError` passes."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path}: more than {MAX_BYTES} bytes are no settings of ours")
        return parse_yaml(data.decode("utf-8"), path)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None


def parse_yaml(text: str, path: Path) -> Any:
    """`text` of the file `path` as plain values; `ConfigError` with the line for what is not read."""
    try:
        loader = _Strict(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f" line {error.problem_mark.line + 1}:"
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(f"{path}:{line} not readable as YAML: {what}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())[:300]}") from None
