"""Coverage-guided fuzzing of every reader, for longer runs: `make fuzz` (installs Atheris first).

Any bytes must end in valid events or in a `BadRecording` with a known reason; anything else is a crash that Atheris
reports with the input that caused it. Seeds are good files of every format, written by the tests' tiny writers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["spikinghash.events"]):
    from spikinghash.errors import BadRecording
    from spikinghash.events.reader import FORMATS, decode
    from spikinghash.events.source import Source
    from spikinghash.schema import REASONS

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / ".fuzz"


def one_input(data: bytes) -> None:
    """The first byte chooses detection or one format by name; the rest is the file."""
    if not data:
        return
    names = [None, *(known.name for known in FORMATS)]
    try:
        events = decode(Source(Path("fuzz"), data[1:]), format=names[data[0] % len(names)])
    except BadRecording as error:
        if error.reason not in REASONS:
            raise
        return
    if events.count < 1 or (events.t[1:] < events.t[:-1]).any() or int(events.x.max()) >= events.width:
        raise AssertionError(f"invalid events of format {events.format}")


def write_seeds() -> None:
    """A good file of every format, once for detection and once by name."""
    sys.path.insert(0, str(ROOT / "tests/reliability"))
    import hostile

    SEEDS.mkdir(exist_ok=True)
    numbers = {known.name.replace("-", "_"): place for place, known in enumerate(FORMATS, start=1)}
    for name, content in hostile.samples().items():
        for first in (0, numbers.get(name, 0)):
            (SEEDS / f"{name}-{first}").write_bytes(bytes([first]) + content)


if __name__ == "__main__":
    write_seeds()
    atheris.Setup([*sys.argv, str(SEEDS)], one_input)
    atheris.Fuzz()
