"""`params.yaml` to checked, frozen values. Only stages, flows and the command line read it; the library takes plain
values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from spikinghash.errors import ConfigError
from spikinghash.frames.framing_rules import dtype_misfit, windowing_misfit
from spikinghash.night_params import NightParams
from spikinghash.param_section import Section, check_as
from spikinghash.schedule_params import ScheduleParams
from spikinghash.strict_yaml import read_yaml
from spikinghash.tune_params import TuneParams

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Pixels = Annotated[int, Field(ge=1, le=4096)]


class ReadingParams(Section):
    """How to read what files cannot say; see `events.options`."""

    time_unit: Literal["ns", "us", "ms", "s"] | None = None
    layout: Literal["dvs128", "davis240", "davis346"] | None = None
    flip_x: bool = False
    flip_y: bool = False
    transpose: bool = False
    invert_polarity: bool = False


class DatasetParams(Section):
    path: str
    layout: Literal[
        "class_folders", "labels_csv", "asl_dvs", "cifar10_dvs", "cifar10_dvs_spikingjelly", "dvs128_gesture", "hardvs",
        "hmdb51_dvs", "n_caltech101", "ucf101_dvs", "image_folder", "image_parquet", "cifar", "tiny_imagenet",
    ]  # fmt: skip
    sensor: tuple[Pixels, Pixels] | None = Field(default=None, strict=False)
    format: str | None = None
    reading: ReadingParams = ReadingParams()

    @property
    def has_pictures(self) -> bool:
        """Whether the layout's recordings are pictures."""
        return self.layout in ("image_folder", "image_parquet", "cifar", "tiny_imagenet")


class SynthesizeParams(Section):
    seed: int = Field(ge=0)
    limit: Positive | None = None
    on_threshold: float = Field(gt=0.0)
    off_threshold: float = Field(gt=0.0)
    mismatch_sigma: float = Field(ge=0.0)
    refractory_us: int = Field(ge=0)
    noise_rate_hz: float = Field(ge=0.0)


class FramesParams(Section):
    steps: int = Field(ge=1, le=256)
    representation: Literal["counts", "binary", "voxel"]
    dtype: Literal["uint8", "uint16", "float32"]
    windowing: Literal["recording", "window", "count"]
    window_us: Positive | None
    stride_us: Positive | None
    events_per_clip: Positive | None
    min_events: Positive
    downsample: int = Field(ge=1, le=64)
    store: Literal["parquet", "hdf5"]
    val_fraction: float = Field(gt=0.0, lt=1.0)
    test_fraction: float = Field(gt=0.0, lt=1.0)
    seed: int = Field(ge=0)

    @property
    def framing(self) -> dict[str, Any]:
        """What shapes a clip: the arguments of `Framing`."""
        return self.model_dump(exclude={"store", "val_fraction", "test_fraction", "seed"})

    @field_validator("dtype")
    @classmethod
    def _dtype_fits(cls, dtype: str, info: ValidationInfo) -> str:
        representation = info.data.get("representation")
        if representation is not None and (wrong := dtype_misfit(representation, dtype)) is not None:
            raise ValueError(wrong)
        return dtype

    @model_validator(mode="after")
    def _windowing_fits(self) -> FramesParams:
        wrong = windowing_misfit(self.windowing, self.window_us, self.stride_us, self.events_per_clip, self.min_events)
        if wrong is not None:
            raise ValueError(wrong)
        return self


class MethodParams(Section):
    """A method with its own options, which `methods/registry.py` knows."""

    method: str
    variant: str = "full"
    bits: int = Field(ge=8, le=1024, multiple_of=8)
    options: dict[str, Any] = Field(default_factory=dict)


class ModelParams(MethodParams):
    """A network of event clips or images."""

    network_size: str
    variant: str
    input: tuple[Pixels, Pixels] = Field(strict=False)
    count_clip: int = Field(ge=1, le=255)
    surrogate: Literal["sigmoid", "atan"]
    steps: Annotated[int, Field(ge=1, le=256)] | None = None


class AugmentParams(Section):
    shift_px: float = Field(ge=0.0)
    rotate_deg: float = Field(ge=0.0, le=180.0)
    scale: float = Field(ge=0.0, lt=1.0)
    drop: Share
    flip: bool
    crop_px: int = Field(default=0, ge=0, le=64)
    erase: Share = 0.0
    rand_ops: int = Field(default=0, ge=0, le=4)
    rand_magnitude: float = Field(default=9.0, ge=0.0, le=10.0)


class StepParams(Section):
    """How any method is trained by gradients."""

    epochs: Positive
    batch: int = Field(ge=2)
    lr: float = Field(gt=0.0)
    warmup: Share
    weight_decay: float = Field(ge=0.0)
    optimiser: Literal["adamp", "adamw", "adam"]
    betas: tuple[Share, Share] = Field(default=(0.9, 0.999), strict=False)
    grad_clip: float = Field(gt=0.0)
    checkpoint_every: Positive
    checkpoint_steps: int = Field(default=0, ge=0)
    accumulate: int = Field(default=1, ge=1)
    activation_checkpointing: bool = False
    select: Literal["best", "last"] = "best"
    seed: int = Field(ge=0)
    workers: Positive
    threads: Positive
    loader_workers: int = Field(default=0, ge=0, le=64)
    amp: bool

    @model_validator(mode="after")
    def _batch_is_shared_out(self) -> StepParams:
        parts = self.workers * self.accumulate
        if self.batch % parts or self.batch // parts < 2:
            many = f"{self.workers} workers" + (f" and {self.accumulate} parts" if self.accumulate > 1 else "")
            raise ValueError(f"batch {self.batch} must give each of {many} the same 2 or more clips")
        return self


class TrainParams(StepParams):
    """With the losses of eq. 24, and augmentation."""

    alpha: float = Field(ge=0.0)
    beta: float = Field(ge=0.0)
    smoothing: float = Field(ge=0.0, lt=1.0)
    soft: bool
    balance: bool
    augment: AugmentParams


class EncodeParams(Section):
    batch: Positive


class EvaluateParams(Section):
    query_split: Literal["train", "val", "test", "database"]
    database_splits: tuple[Literal["train", "val", "test", "database"], ...] = Field(strict=False, min_length=1)
    k: tuple[Positive, ...] = Field(strict=False, min_length=1)
    empty: Literal["zero", "skip"]

    @model_validator(mode="after")
    def _queries_stay_out(self) -> EvaluateParams:
        if self.query_split in self.database_splits:
            raise ValueError(
                f"query_split {self.query_split!r} is also in database_splits; queries would find themselves"
            )
        return self


class ReportParams(Section):
    queries: Positive
    neighbours: Positive


class GateParams(Section):
    """What a candidate must keep to, to be promoted; see `evaluation/gate.py`."""

    worse_by: Share = 0.0
    class_worse_by: Share = 0.05
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    energy_ratio: float = Field(default=1.1, gt=0.0)
    min_map: Share = 0.0
    max_energy_uj: float | None = Field(default=None, gt=0.0)
    dead_bits: Share = 0.0
    drift: Share = 0.25


class TrackingParams(Section):
    uri: str
    experiment: str


class DataParams(Section):
    cache: str | None = None


class RayParams(Section):
    address: str | None = None
    storage: str | None = None


class ProjectParams(Section):
    """What every project says, whatever its samples are."""

    model: MethodParams
    train: StepParams
    encode: EncodeParams
    evaluate: EvaluateParams
    tracking: TrackingParams
    data: DataParams = DataParams()
    ray: RayParams = RayParams()


class Params(ProjectParams):
    """The whole of `params.yaml`."""

    dataset: DatasetParams
    synthesize: SynthesizeParams
    frames: FramesParams
    model: ModelParams
    train: TrainParams
    report: ReportParams
    ray: RayParams
    tune: TuneParams = TuneParams()
    gate: GateParams = GateParams()
    schedule: ScheduleParams = ScheduleParams()
    night: NightParams = NightParams()

    @model_validator(mode="after")
    def _kind_fits(self) -> Params:
        f, a, kind = self.frames, self.train.augment, f"the layout {self.dataset.layout}"
        if self.dataset.has_pictures:
            frame = f.steps, f.representation, f.dtype, f.windowing, f.downsample
            if frame != (1, "counts", "uint8", "recording", 1):
                raise ValueError(
                    f"{kind} has pictures, which have no time: frames.steps is 1, dtype uint8, representation "
                    "counts, windowing recording, downsample 1; model.steps says how often the network sees it"
                )
            wrong = [name for name in ("shift_px", "rotate_deg", "scale", "drop") if getattr(a, name)]
        else:
            wrong = [name for name in ("crop_px", "erase", "rand_ops") if getattr(a, name)]
        if wrong:
            other = "events" if self.dataset.has_pictures else "pictures"
            raise ValueError(f"train.augment.{wrong[0]} is for {other}, which {kind} does not have; set it to 0")
        return self


def load_params(path: Path) -> Params:
    """Read and check; raises `ConfigError` with one line naming the key, the rule and, for a typo, the nearest key."""
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; run inside the project, or copy its params.yaml") from None
    return check_params(content, path)


def check_params(content: Any, path: Path) -> Params:
    """`check_as` for `Params`."""
    return check_as(Params, content, path)
