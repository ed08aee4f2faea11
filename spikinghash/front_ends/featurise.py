"""Pairs to a sample store: every modality through its frozen front end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spikinghash.data.open_store import create_store
from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import FieldSpec, SampleSpec
from spikinghash.data.sample_writer import SampleWriter
from spikinghash.data.store_files import StoreKind
from spikinghash.errors import ConfigError
from spikinghash.files import write_json
from spikinghash.front_ends.front_end import FrontEnd, Raw
from spikinghash.front_ends.picture import Picture
from spikinghash.pairs.pair import Pair
from spikinghash.pairs.pair_file import PairFile

LEDGER_FILE = "ledger.json"
_AT_ONCE = 64


@dataclass(frozen=True)
class Use:
    """A front end and, for texts, the numbers of the captions that are joined by a blank into one text (None: all)."""

    front_end: FrontEnd
    captions: tuple[int, ...] | None = None


@dataclass
class FeatureLedger:
    """Law: `found == accepted + len(left_out)`. `lacking` counts accepted samples without a modality, by its name;
    `left_out` are the ids of pairs that have none.
    """

    accepted: int = 0
    lacking: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def found(self) -> int:
        """Pairs of the file."""
        return self.accepted + len(self.left_out)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `ledger.json`."""
        return {"found": self.found, **vars(self)}


def featurise(
    pairs: PairFile,
    uses: Mapping[str, Use],
    out: Path,
    *,
    store: StoreKind = "parquet",
    progress: Callable[[int, int], None] | None = None,
) -> FeatureLedger:
    """Write the store `out`, one sample a pair, with ledger.json beside it: features float32 [D], or uint8 [3, H, W] of
    the front end `picture`.

    `uses` has a front end for `image`, for `text`, or both; each is fitted on the pairs of the split train alone. Where
    a pair lacks what one reads, the sample lacks the modality. `made_by` of a modality is the front end's description
    and the captions. Raises `ConfigError` where no pair has anything, and what front ends raise.
    """
    if not uses or set(uses) - {"image", "text"}:
        raise ConfigError(f"features are of image and text, not of {', '.join(uses) or 'nothing'}")
    fitted = {name: _fitted(pairs, name, uses[name]) for name in sorted(uses)}
    first = {name: _first(pairs, name, use) for name, use in fitted.items()}
    spec = SampleSpec({name: _field(use, first[name]) for name, use in fitted.items()})
    ledger = FeatureLedger(lacking=dict.fromkeys(fitted, 0))
    with create_store(out, spec, store) as writer:
        for some in _batches(pairs.pairs()):
            _write(some, fitted, writer, ledger)
            if progress is not None:
                progress(ledger.found, len(pairs))
        write_json(out / LEDGER_FILE, ledger.to_json())
    return ledger


def raw_of(pair: Pair, name: str, use: Use) -> Raw | None:
    """What a front end reads of a pair's `image` or `text`; None where the pair has none."""
    reads = use.front_end.reads
    if reads == "feature":
        return pair.image_feature if name == "image" else pair.text_feature
    if reads != {"image": "picture", "text": "text"}[name]:
        raise ConfigError(f"the front end {use.front_end.name} reads a {reads} and cannot be that of {name}")
    if name == "image":
        return pair.image
    chosen = range(len(pair.text)) if use.captions is None else use.captions
    return " ".join(pair.text[number] for number in chosen if number < len(pair.text)) or None


def _fitted(pairs: PairFile, name: str, use: Use) -> Use:
    def raws() -> Iterator[Raw]:
        for pair in pairs.pairs("train", _columns({name: use})):
            raw = raw_of(pair, name, use)
            if raw is not None:
                yield raw

    return Use(use.front_end.fit(raws()), use.captions)


def _first(pairs: PairFile, name: str, use: Use) -> NDArray[Any]:
    """The feature of the first pair that has one, which says how wide it is."""
    for pair in pairs.pairs(None, _columns({name: use})):
        raw = raw_of(pair, name, use)
        if raw is not None:
            return use.front_end([raw])[0]
    raise ConfigError(f"{pairs.path}: no pair has what {use.front_end.name} reads for {name}; choose another front end")


def _field(use: Use, first: NDArray[Any]) -> FieldSpec:
    if isinstance(use.front_end, Picture):
        return use.front_end.frame.field()
    captions = {} if use.captions is None else {"captions": list(use.captions)}
    return FieldSpec("features", first.shape, str(first.dtype), use.front_end.describe() | captions)


def _columns(uses: Mapping[str, Use]) -> Sequence[str]:
    columns = {name if use.front_end.reads != "feature" else f"{name}_feature" for name, use in uses.items()}
    return ["labels", *sorted(columns)]


def _batches(pairs: Iterator[Pair]) -> Iterator[list[Pair]]:
    some: list[Pair] = []
    for pair in pairs:
        some.append(pair)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _write(some: Sequence[Pair], uses: Mapping[str, Use], writer: SampleWriter, ledger: FeatureLedger) -> None:
    values: list[dict[str, NDArray[Any]]] = [{} for _ in some]
    for name, use in uses.items():
        raws = [raw_of(pair, name, use) for pair in some]
        having = [row for row, raw in enumerate(raws) if raw is not None]
        if having:
            features = use.front_end([raw for raw in raws if raw is not None])
            for place, feature in zip(having, features, strict=True):
                values[place][name] = feature
    for pair, found in zip(some, values, strict=True):
        if not found:
            ledger.left_out.append(pair.pair_id)
            continue
        row = SampleRow(pair.pair_id, pair.group, pair.labels, pair.split, pair.origin, pair.sha256)
        writer.add(row, found)
        ledger.accepted += 1
        for name in uses:
            ledger.lacking[name] += name not in found
