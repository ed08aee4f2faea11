"""Does a night need a person, for what, and what comes first?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from spikinghash.visible import visible

#: Worth a look, though nobody has to act: a share of bits that are the same for every clip, and drift.
DEAD_LOOK, DRIFT_LOOK = 0.05, 0.10
#: With fewer clips some bits are the same for all by chance.
_DEAD_FROM = 32


@dataclass(frozen=True)
class Bounds:
    """Beyond these a person must act: the share of what was new that was refused, and drift of bits beyond what chance
    makes of so few codes; below the last of them, the mean recall of the pinned queries.
    """

    refused_share: float
    drift: float
    recall: float


def verdict(report: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """Of a night report as plain values: `act` in sentences, the first of which comes first, or None where nobody must;
    `look`, what is worth a look all the same; `bounds`.
    """
    drift, chance = _drift(report)
    act = [*_broken(report, bounds), *_odd(report, bounds)]
    look = []
    if drift - chance > bounds.drift:
        act.append(
            f"The bits drifted by {drift:.3f}, where chance explains {chance:.3f} and {bounds.drift} is allowed: look "
            "at tonight's recordings, another camera or setting needs a model that has seen it."
        )
    elif drift - chance > DRIFT_LOOK:
        look.append(f"drift {drift:.3f}")
    bits = report["bits"]
    if bits is not None and bits["clips"] >= _DEAD_FROM and len(bits["dead"]) / bits["bits"] > DEAD_LOOK:
        look.append(f"{len(bits['dead'])} of {bits['bits']} bits are dead")
    if note := (report["pinned"] or {}).get("note"):
        look.append(f"the index was of no use: {note}")
    shadow = report["shadow"]
    # a challenger that was promoted is the model in use, and no problem
    if shadow is not None and shadow["problem"] is not None and shadow["model"] != report["model"]:
        look.append(f"the shadow did not hash: {shadow['problem']}")
    return {"act": act or None, "look": look, "bounds": asdict(bounds)}


def _broken(report: dict[str, Any], bounds: Bounds) -> Iterator[str]:
    """What may mean that something is lost."""
    accounts, pinned, db = report["fsck"], report["pinned"], report["db"]
    if not accounts["ok"]:
        first = f" ({accounts['problems'][0]})" if accounts.get("problems") else ""
        yield (
            f"The accounts do not add up{first}: run `spikinghash fsck --db {db}`, then what it says; files that are "
            "damaged need `--repair`, recordings that are pending the next night."
        )
    if pinned is not None and pinned["problem"] is not None:
        yield f"The pinned queries were not asked: {pinned['problem']}."
    elif pinned is not None and pinned["mean"] < bounds.recall:
        worst = ", ".join(one["id"] for one in pinned["worst"])
        yield (
            f"The pinned queries find {pinned['mean']:.3f} of what they found on {pinned['since'][:10]}, least "
            f"{worst}: rows are lost, or codes are others than they were; run `spikinghash fsck --db {db}`, and where "
            "it finds nothing see whether this is an older or another database."
        )


def _odd(report: dict[str, Any], bounds: Bounds) -> Iterator[str]:
    """What somebody did, or what came in."""
    e, moved, stayed = report["encode"], report["moved"], report["stayed"]
    if moved is not None:
        before = "none" if moved["from"] is None else f"version {moved['from']}"
        yield (
            f"The champion is version {moved['to']}, before {before}, by other means than `registry promote`: ask who "
            "changed it and why, or go back with `spikinghash registry rollback`."
        )
    if e["pending"]:
        yield f"{e['pending']} recordings stayed pending: run the night again."
    if stayed:
        yield (
            f"{len(stayed)} files are still being written as in the night before, the first {stayed[0]}: see whether "
            "their copy hangs."
        )
    new = e["committed"] + len(report["refused"])
    if new and len(report["refused"]) / new > bounds.refused_share:
        yield (
            f"{len(report['refused'])} of {new} new recordings were refused, where a share of {bounds.refused_share} "
            "is allowed: see the reasons below, and try them again with `spikinghash release` once they are mended."
        )


def _drift(report: dict[str, Any]) -> tuple[float, float]:
    """The drift that exceeds its chance most, and that chance; zeros where nothing can be compared."""
    found = [(report[key], report["chance"][key]) for key in ("drift", "drift_training") if report[key] is not None]
    return max(found, key=lambda pair: pair[0] - pair[1], default=(0.0, 0.0))


def act_line(report: dict[str, Any], safe: Callable[[str], str] = visible) -> str:
    """One line for a person; `safe` is for what names of files may say, by default as a terminal takes it."""
    act, look = report["act"], report["look"]
    if act is not None:
        more = f" ({len(act) - 1} more)" if len(act) > 1 else ""
        return f"ACT: {safe(act[0])}{more}"
    seen = f" Worth a look: {safe('; '.join(look))}." if look else ""
    return f"Nothing to do.{seen}"
