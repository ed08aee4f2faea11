"""A model that hashes recordings: load or train one, encode, search. The five lines that a notebook needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spikinghash.api.codes import Codes
from spikinghash.api.database import CodeDatabase
from spikinghash.api.encode import collect, encode, results
from spikinghash.api.fit import Plan, fit_arrays
from spikinghash.api.hits import Hits
from spikinghash.api.search import search_codes, search_items
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.new_rows import Refused
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.frames.framing import Framing
from spikinghash.model_ref import open_model
from spikinghash.training.augment import Augmentation
from spikinghash.training.checkpoint import save_model
from spikinghash.training.loop import EpochRecord
from spikinghash.training.recipe import Recipe

#: As in the params.yaml of the default data set.
_OPTIONS = {"alpha": 0.1, "beta": 0.8, "smoothing": 0.1}
_AUGMENTATION = Augmentation(shift_px=2.5, rotate_deg=10.0, scale=0.1, drop=0.3)


@dataclass(frozen=True, repr=False)
class Hasher:
    """A trained model ready to hash. It never changes, and several threads may use one at once.

    Codes depend on nothing but the model and the clip: not on batches, order or threads.
    """

    encoder: Encoder

    @classmethod
    def load(cls, ref: str | Path = "data/models/default", *, registry: str | None = None, batch: int = 64) -> Hasher:
        """The model in a folder, or of the registry: `models:/NAME@alias`, `models:/NAME/VERSION`.

        `registry` is the registry's address, by default `tracking.uri` of params.yaml; `batch` clips go through the
        network at once. Raises `BadCheckpoint` for a model that is missing, damaged or not one of ours, `ConfigError`
        where no registry is named, `Temporary` where it does not answer.
        """
        if not isinstance(ref, str | Path):
            raise ConfigError(f"a model is a folder or a reference such as models:/NAME@alias, not {ref!r}")
        _check_count("batch", batch)
        return cls(Encoder(open_model(str(ref), registry), batch))

    @classmethod
    def fit(
        cls,
        frames: Any,
        labels: Sequence[Any] | NDArray[Any],
        *,
        size: str = "Nano",
        bits: int = 64,
        epochs: int = 18,
        batch: int = 32,
        lr: float = 0.004,
        seed: int = 7,
        val_fraction: float = 0.12,
        method: str = "spikinghash",
        options: Mapping[str, Any] | None = None,
        augmentation: Augmentation = _AUGMENTATION,
        input_size: tuple[int, int] | None = None,
        count_clip: int = 8,
        framing: Framing | None = None,
        watch: Callable[[EpochRecord], None] | None = None,
    ) -> Hasher:
        """Train on clips, in this process; the same arguments give the same model on one type of device.

        `frames` [N, T, 2, H, W] are event counts (integers, or floats that are whole) or, of other floats, voxel grids;
        `labels` [N] are names or numbers of classes. `val_fraction` of each class, drawn by `seed`, selects the epoch.
        The network sees `input_size` (height, width), by default the nearest multiples of 16, and counts up to
        `count_clip`. `framing` says how recordings became these clips, so that `encode` frames others alike: by default
        each whole recording is one clip of T equal time bins. `watch` is called after each epoch.

        Raises `ConfigError` for arguments that do not fit together, `TrainingCollapsed` where nothing was learned.
        """
        recipe = Recipe(epochs, batch, lr, seed, warmup=0.2, amp=True, augmentation=augmentation)
        chosen = {**_OPTIONS, "network_size": size, **(options or {})}
        plan = Plan(method, bits, recipe, chosen, val_fraction, input_size, count_clip)
        return cls(Encoder(fit_arrays(frames, labels, plan, framing=framing, watch=watch)))

    def save(self, folder: str | Path) -> str:
        """Leave an ordinary model folder, for `load` and for `--model`; returns the digest of the model."""
        model = self.encoder.model
        return save_model(Path(folder), model.spec, model.method.network, model.card["training"])  # type: ignore[arg-type]

    @property
    def model(self) -> str:
        """Digest of the model: codes of equal digests can be compared."""
        return self.encoder.model.digest

    @property
    def bits(self) -> int:
        """Width K of the codes."""
        return self.encoder.model.spec.bits

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes it was trained on."""
        return self.encoder.model.spec.classes

    def __repr__(self) -> str:
        spec = self.encoder.model.spec
        size = spec.options.get("network_size", "")
        named = f"{spec.method} {size}".strip()
        return f"Hasher({named}, {spec.bits} bits, {len(spec.classes)} classes, model {self.model})"

    def encode(self, inputs: Any, *, format: str | None = None, reading: ReadOptions = DEFAULTS) -> Codes:
        """Hash one input or a sequence of them, in their order.

        An input is a path (a recording, an archive, or a folder of either), `Events`, or frames: [N, T, 2, H, W], or
        of one clip, or pictures [N, 3, H, W], or one, of the shape and kind that the model was trained on. Files are
        read as `spikinghash encode` reads them, in a child process with limits, and cut into clips as the model's own
        were; `format` names a raw format, by default told by content, `reading` says what files cannot.

        A recording that is refused stops nothing: `Codes.refused` names it. Raises `ConfigError` for a path that is not
        there and for frames of another shape.
        """
        return encode(inputs, self.encoder, format, reading)

    def search(
        self, query: Any = None, database: Codes | CodeDatabase | str | Path | None = None, k: int = 10, *,
        text: str | None = None, image: bytes | None = None, to: str | None = None, rescore: bool = False,
    ) -> Hits:  # fmt: skip
        """The k nearest clips to every clip of `query` (an input of `encode`, or `Codes`), by (distance, id); exact.

        `database` is `Codes` in memory, or a code database or where one is. Clips of a query's own recording, known by
        its contents, are left out; for `Events` and frames that is not known.

        Models of pairs take a `text`, or an `image` (bytes of a JPEG or PNG file), in the place of `query`, and find
        items in the modality `to`: by default pictures for a text and texts for a picture; `rescore` ranks the nearest
        once more by the query's real scores, which are not binarised.

        Raises `BadRecording` for a query that is refused, `StaleModel` for codes of another model, `BadStore` for a
        database that is missing or damaged, `ConfigError` for k < 1, or nothing to search with or in.
        """
        _check_count("k", k)
        if not isinstance(database, Codes | CodeDatabase | str | Path):
            raise ConfigError(f"database must be Codes, a CodeDatabase or a folder, not {type(database).__name__}")
        if sum(one is not None for one in (query, text, image)) != 1:
            raise ConfigError("give one of query, text and image")
        opened = database if isinstance(database, Codes | CodeDatabase) else CodeDatabase.open(database)
        if query is None:
            if isinstance(opened, Codes):
                raise ConfigError("texts and pictures search a code database; name one")
            return search_items(opened.table, self.encoder, text if image is None else image, to, k, rescore)
        codes = query if isinstance(query, Codes) else collect(self._accepted(query), self.encoder)
        return search_codes(codes, opened, k) if isinstance(opened, Codes) else opened.search(codes, k)

    def _accepted(self, query: Any) -> Any:
        for one in results(query, self.encoder):
            if isinstance(one, Refused):
                raise BadRecording(one.error.reason, f"{one.path}: {one.error.message}", one.error.offset)
            yield one


def _check_count(name: str, value: Any) -> None:
    if type(value) is not int or value < 1:
        raise ConfigError(f"{name} must be a whole number of at least 1, not {value!r}")
