"""Which keys of params.yaml a stage reads: its parameters behind a proxy that remembers every leaf."""

from typing import Any

from pydantic import BaseModel


class Watched:
    """Stands for a section of `Params`; `seen` collects the dotted names of the values that are read."""

    def __init__(self, section: BaseModel, seen: set[str], prefix: str = "") -> None:
        self._section, self._seen, self._prefix = section, seen, prefix

    @property
    def __class__(self) -> type:
        # what a section is an instance of, it is one of here, too
        return type(self._section)

    def __getattr__(self, name: str) -> Any:
        section = self._section
        if name not in type(section).model_fields:
            return getattr(type(section), name).fget(self)  # a property: it reads fields of ours
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            return Watched(value, self._seen, f"{self._prefix}{name}.")
        self._seen.add(self._prefix + name)
        return value

    def model_dump(self, *, exclude: frozenset[str] = frozenset(), **options: Any) -> dict[str, Any]:
        self._seen |= {self._prefix + key for key in leaves(self._section) if key.split(".")[0] not in exclude}
        return self._section.model_dump(exclude=set(exclude), **options)


def leaves(section: BaseModel, prefix: str = "") -> list[str]:
    """Dotted names of all values below a section."""
    found = []
    for name in type(section).model_fields:
        value = getattr(section, name)
        found += leaves(value, f"{prefix}{name}.") if isinstance(value, BaseModel) else [prefix + name]
    return found
