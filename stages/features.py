"""Stage `features`: pairs to a sample store of features, each modality by its frozen front end."""

from __future__ import annotations

from pathlib import Path

from spikinghash.front_ends.featurise import Use, featurise
from spikinghash.front_ends.table import build
from spikinghash.pair_params import FeaturesParams, PairParams, load_pair_params
from spikinghash.pairs.pair_file import PairFile
from spikinghash.progress import progress_bar
from stages.run_stage import FEATURES, PAIRS, run_with


def features(params: PairParams) -> None:
    """Encode the pairs."""
    featurise_into(params.features, PAIRS, FEATURES)


def featurise_into(p: FeaturesParams, pairs: Path, out: Path) -> None:
    """Encode the pairs of a folder into the store `out`."""
    asked = {"image": p.image, "text": p.text}
    uses = {
        name: Use(build(one.front_end, one.options), one.captions) for name, one in asked.items() if one is not None
    }
    with progress_bar("features") as progress:
        featurise(PairFile.open(pairs), uses, out, store=p.store, progress=progress)


if __name__ == "__main__":
    run_with(load_pair_params, features)
