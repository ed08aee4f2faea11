"""Hashing with a second model beside the one in use, so that the two can be compared before anything is promoted.

Each model has its own codes, refusals and account in the same database, by its digest. What one of them lacks, after a
kill between the two for example, the next run hashes. Files are read once for each model: they may be cut and framed in
another way, and what is new for one may be known to the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.encoder import Encoder
from spikinghash.errors import SpikinghashError
from spikinghash.model_ref import open_encoder
from spikinghash.redact import redact


@dataclass(frozen=True)
class Shadow:
    """What became of the recordings under the shadow `ref`: its digest and report, or the `problem` in one line."""

    ref: str
    digest: str | None = None
    report: EncodeReport | None = None
    problem: str | None = None

    @property
    def pending(self) -> int:
        """Inputs it has still to do; 0 where it did not begin."""
        return 0 if self.report is None else self.report.pending

    def to_json(self) -> dict[str, Any]:
        """For the command line and the night report."""
        encoded = None if self.report is None else self.report.to_json()
        return {"ref": redact(self.ref), "model": self.digest, "encode": encoded, "problem": self.problem}


def hash_shadow(ref: str, model: str, work: Callable[[Encoder], EncodeReport]) -> Shadow:
    """Hash with the model of `ref` by `work`, unless it is `model`, by its digest, itself.

    Whatever goes wrong is the `problem`: the codes of the model in use are committed by then.
    """
    digest = None
    try:
        encoder = open_encoder(ref)
        digest = encoder.model.digest
        if digest == model:
            return Shadow(ref, digest, problem="it is the model in use; there is nothing to compare")
        return Shadow(ref, digest, work(encoder))
    except SpikinghashError as error:
        said = str(error)
    except Exception as error:  # noqa: BLE001  a bug in another model is no reason to lose a night
        said = f"{type(error).__name__} {error}"
    return Shadow(ref, digest, problem=redact(" ".join(said.split())))
