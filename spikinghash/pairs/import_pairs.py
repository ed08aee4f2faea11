"""A set of pairs into `pairs.parquet`, with split lists and a ledger of all that was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spikinghash.datasets.split_lists import split_lists, write_split_lists
from spikinghash.errors import ConfigError
from spikinghash.files import write_json
from spikinghash.pairs.admit import Need, admit
from spikinghash.pairs.pair import BadPair, Candidate, Pair, RefusedPair
from spikinghash.pairs.pair_columns import FEATURES
from spikinghash.pairs.pair_file import PairWriter
from spikinghash.pairs.pair_ledger import PairLedger
from spikinghash.pairs.split_rules import SplitRule

LEDGER_FILE = "ledger.json"
Found = Candidate | RefusedPair
_EVERY = 256


def import_pairs(
    found: Iterable[Found],
    out: Path,
    *,
    split: SplitRule,
    needs: Iterable[Need] = ("image", "text"),
    made_by: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> PairLedger:
    """Write the pairs that an importer found to `out`: pairs.parquet, splits.json, ledger.json; the file appears last.

    Each is taken or refused; rows are counted from 0 whether they are taken or not. `progress` is called with the
    number done. Raises `ConfigError` where none was taken.
    """
    wanted, ledger, known = frozenset(needs), PairLedger(), set[str]()
    splits: list[tuple[str, str]] = []
    widths: dict[str, tuple[int, str]] = {}
    with PairWriter(out, made_by or {}) as writer:
        for row, one in enumerate(found):
            pair = _take(row, one, split, wanted, ledger, known, widths)
            if pair is not None:
                writer.add(pair)
                splits.append((pair.pair_id, pair.split))
            if progress is not None and (row + 1) % _EVERY == 0:
                progress(row + 1)
        write_json(out / LEDGER_FILE, ledger.to_json())
        if not splits:
            raise ConfigError(_why_nothing(ledger))
        write_split_lists(out, split_lists(splits), seed=seed)
    return ledger


def _take(
    row: int, one: Found, split: SplitRule, needs: frozenset[Need], ledger: PairLedger, known: set[str],
    widths: dict[str, tuple[int, str]],
) -> Pair | None:  # fmt: skip
    """The pair, entered in the ledger; None after a refusal."""
    if isinstance(one, RefusedPair):
        ledger.refused.append(one)
        return None
    try:
        if not one.pair_id.strip():
            raise BadPair("row", "it has no id")
        if one.pair_id in known:
            raise BadPair("duplicate-id", "a pair before it has the same id")
        pair = admit(one, split(row, one), needs)
        for name in FEATURES:
            _same_width(name, getattr(pair, name), widths)
    except BadPair as error:
        ledger.refused.append(RefusedPair.of(one.pair_id, one.origin, error))
        return None
    known.add(pair.pair_id)
    ledger.accept(pair, one)
    return pair


def _same_width(name: str, feature: NDArray[Any] | None, widths: dict[str, tuple[int, str]]) -> None:
    """All features of a set are as wide as its first one; raises `BadPair`."""
    if feature is None:
        return
    width, dtype = widths.setdefault(name, (len(feature), str(feature.dtype)))
    if (len(feature), str(feature.dtype)) != (width, dtype):
        what, is_now = name.removesuffix("_feature"), f"[{len(feature)}] {feature.dtype}"
        raise BadPair("feature", f"its {what} feature is {is_now}, those before it are [{width}] {dtype}")


def _why_nothing(ledger: PairLedger) -> str:
    if not ledger.refused:
        return "the set has no pairs; look at its path and options"
    first = ledger.refused[0]
    return f"all {ledger.found} pairs were refused, the first {first.origin}: {first.reason}: {first.message}"
