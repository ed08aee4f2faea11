"""A picture and the texts about it, raw or as features."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spikinghash.errors import SpikinghashError

#: Why a pair can be refused.
PAIR_REASONS = frozenset(
    {
        "missing-picture",
        "broken-picture",
        "empty-text",
        "no-label",
        "outside",
        "duplicate-id",
        "no-split",
        "feature",
        "row",
    }
)


class BadPair(SpikinghashError):
    """A pair was refused; `reason` is one of `PAIR_REASONS`."""

    def __init__(self, reason: str, message: str) -> None:
        if reason not in PAIR_REASONS:
            raise ValueError(f"no reason is called {reason!r}")
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


@dataclass(frozen=True, eq=False)
class Pair:
    """One row of `pairs.parquet`.

    `image` is a JPEG or PNG file, `image_feature` [D] and `text_feature` [E] are float16 or float32; each is None where
    it is missing, and `text` empty. Pairs of one `group` belong together; `origin` is where it was read.
    """

    pair_id: str
    group: str
    split: str
    labels: tuple[str, ...] = ()
    image: bytes | None = None
    image_feature: NDArray[Any] | None = None
    text: tuple[str, ...] = ()
    text_feature: NDArray[Any] | None = None
    origin: str = ""

    @property
    def sha256(self) -> str:
        """Digest of all that can be hashed of it, 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for feature in (self.image_feature, self.text_feature):
            digest.update(b"-" if feature is None else feature.tobytes())
        for part in (self.image or b"", *(text.encode() for text in self.text)):
            digest.update(len(part).to_bytes(8, "little") + part)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Candidate:
    """What an importer found, not checked yet: see `admit`.

    `picture` is the bytes of a file, or a path; `split` is what the set itself states. `re_rooted` says that the path
    was not where the list has it, and the same file was found below the folder of pictures.
    """

    pair_id: str
    origin: str
    labels: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    picture: Path | bytes | None = None
    image_feature: NDArray[Any] | None = None
    text_feature: NDArray[Any] | None = None
    split: str | None = None
    group: str | None = None
    re_rooted: bool = False


@dataclass(frozen=True)
class RefusedPair:
    """One pair that was not taken: why, and where it stood."""

    pair_id: str
    origin: str
    reason: str
    message: str

    @classmethod
    def of(cls, pair_id: str, origin: str, error: BadPair) -> RefusedPair:
        """The refusal that `error` stands for."""
        return cls(pair_id, origin, error.reason, error.message)
