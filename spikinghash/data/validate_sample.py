"""What every writer of a store checks before it takes a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from spikinghash.data.sample_row import SampleRow
from spikinghash.data.sample_spec import SampleSpec


def validate_sample(row: SampleRow, values: Mapping[str, NDArray[Any]], spec: SampleSpec, known: set[str]) -> None:
    """Enter the sample's id in `known`.

    Raises `ValueError` for values of another name, shape or dtype, for none at all, for an event clip without an
    account and an account of anything else, for a broken account, a repeated label and an id that is known already.
    """
    name = repr(row.sample_id)
    if not values or not set(values) <= set(spec.fields):
        raise ValueError(f"sample {name} has {', '.join(values) or 'nothing'}, the store {', '.join(spec.fields)}")
    for modality, some in values.items():
        field = spec.fields[modality]
        if some.shape != field.shape or some.dtype != field.dtype:
            raise ValueError(
                f"{modality} of sample {name} are {some.shape} {some.dtype}, the store's {field.shape} {field.dtype}"
            )
    clips = {modality for modality in values if spec.fields[modality].kind == "events"}
    if set(row.accounts) != clips:
        raise ValueError(f"sample {name}: event clips have an account each, and nothing else has one")
    if not all(account.adds_up for account in row.accounts.values()):
        raise ValueError(f"sample {name}: events in are not events framed plus dropped")
    if len(set(row.labels)) != len(row.labels):
        raise ValueError(f"sample {name} has a label twice: {', '.join(row.labels)}")
    if row.sample_id in known:
        raise ValueError(f"sample {name} was already written")
    known.add(row.sample_id)
