"""Stage `digit_pairs`: the set of pairs that the project makes itself."""

from __future__ import annotations

from pathlib import Path

from spikinghash.pair_params import PairParams, load_pair_params
from spikinghash.pairs.digit_pairs import write_digit_pairs
from stages.run_stage import run_with

DIGITS = Path("data/raw/digits")


def digit_pairs(params: PairParams) -> None:
    """Draw the digits and write the sentences."""
    write_digit_pairs(DIGITS, seed=params.digit_pairs.seed, limit=params.digit_pairs.limit)


if __name__ == "__main__":
    run_with(load_pair_params, digit_pairs)
