"""250 hostile files of other kinds than those of `hostile`: lying structures, growth, broken indexes of archives."""

import functools

import hostile
from hostile_archives import archives
from hostile_growth import all_growth
from hostile_headers import all_headers


@functools.cache
def all_files():
    """{name: (content, reasons)}; None for any of `schema.REASONS`."""
    return archives(hostile.good()) | all_headers() | all_growth()


def write_more(folder, every=1):
    """Write every n-th into `folder`, and a few that are no content but a file of their own kind; {name: reasons}."""
    chosen = dict(list(all_files().items())[::every])
    for name, (data, _) in chosen.items():
        (folder / name).write_bytes(data)
    with (folder / "hole.bin").open("wb") as stream:
        stream.truncate(1536 << 20)
    (folder / "circle.bin").symlink_to(folder / "circle.bin")
    return {name: reasons for name, (_, reasons) in chosen.items()} | {
        "hole.bin": {"expansion"},
        "circle.bin": {"not-regular"},
    }
