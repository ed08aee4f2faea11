"""The `class_folders` layout: a folder for each class, perhaps below one for each split."""

from __future__ import annotations

import logging
from pathlib import Path

from spikinghash.datasets.recording import Recording
from spikinghash.datasets.split_names import split_of_folder, splits_of_folders
from spikinghash.datasets.walk import Parts, files_below, recording_at
from spikinghash.errors import ConfigError

_LOG = logging.getLogger(__name__)
#: What archivers of other systems leave beside the folders.
_LITTER = frozenset({"__macosx", "$recycle.bin", "system volume information"})


def find_in_class_folders(root: Path) -> list[Recording]:
    """`<split>/<label>/<file>` where a top folder is named like a split, else `<label>/<file>`.

    Names of splits are known in any case, see `split_names`. Deeper folders belong to the id. Files above the class
    folders and hidden files are no recordings; a folder beside those of the splits that holds no class folders is left
    out with a warning. Raises `ConfigError` where a name could be a split as well as a label.
    """
    files = [parts for parts in files_below(root) if len(parts) > 1 and parts[0].lower() not in _LITTER]
    tops = sorted({parts[0] for parts in files})
    splits = splits_of_folders(tops)
    if not splits:
        _check_wrapper(root, files, tops)
        return [recording_at(root, parts, parts[0]) for parts in files]
    others = sorted({parts[0] for parts in files} - set(splits))
    _check(root, files, splits, others)
    if others:
        _LOG.warning("%s: left out beside the splits %s: %s", root, _list(splits), _list(others))
    return [
        recording_at(root, parts, parts[1], split=splits[parts[0]])
        for parts in files
        if parts[0] in splits and len(parts) > 2
    ]


def _check_wrapper(root: Path, files: list[Parts], tops: list[str]) -> None:
    """`ConfigError` for one folder around those of the splits, as unzipping makes it: it would be the only label."""
    below = sorted({parts[1] for parts in files if len(parts) > 2})
    if len(tops) == 1 and below and set(splits_of_folders(below)) == set(below):
        raise ConfigError(
            f"{root}: the splits {_list(below)} lie in {tops[0]!r}; point dataset.path at {root / tops[0]}"
        )


def _check(root: Path, files: list[Parts], splits: dict[str, str], others: list[str]) -> None:
    """`ConfigError` where names like those of splits may be labels, or labels are named like splits."""
    bare = sorted({parts[0] for parts in files if parts[0] in splits} - {p[0] for p in files if len(p) > 2})
    if bare:
        raise ConfigError(
            f"{root}: the folder {bare[0]!r} is named like a split but holds files and no class folders; lay files at "
            "<split>/<label>/<file>, or rename the folder if it is a class"
        )
    deep = sorted({parts[0] for parts in files if len(parts) > 2} & set(others))
    if deep:
        raise ConfigError(
            f"{root}: the folders {_list(splits)} are named like splits, but {deep[0]!r} beside them holds folders "
            "too: is it a class or a split? Move it away, or rename the folders"
        )
    labels = {parts[1] for parts in files if parts[0] in splits and len(parts) > 2}
    named = sorted(label for label in labels if split_of_folder(label))
    if named:
        raise ConfigError(
            f"{root}: below {_list(splits)} the class {named[0]!r} is named like a split; rename its folder"
        )


def _list(names: dict[str, str] | list[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
