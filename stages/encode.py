"""Stage `encode`: frames and model to the code database."""

from __future__ import annotations

from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.encode_frames import encode_frames
from spikinghash.codes.encoder import Encoder
from spikinghash.data.store import SampleStore
from spikinghash.params import ProjectParams
from spikinghash.progress import progress_bar
from spikinghash.project_params import load_project
from spikinghash.training.checkpoint import load_model
from stages.run_stage import CODES, MODEL, run_with, samples_of


def encode(params: ProjectParams) -> None:
    """Hash every clip of every split."""
    encoder = Encoder(load_model(MODEL), params.encode.batch)
    with progress_bar("encode") as progress:
        encode_frames(SampleStore.open(samples_of(params)), encoder, CodeDatabase.create_or_open(CODES), progress)


if __name__ == "__main__":
    run_with(load_project, encode)
