"""A model folder in MLflow's form: our two files, and beside them what `mlflow.pyfunc.load_model` needs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from spikinghash.tracking import pyfunc
from spikinghash.training.checkpoint import load_model
from spikinghash.version import package_version


def write_mlflow_form(model: Path, to: Path) -> Path:
    """Copy a model folder to the new folder `to`; where it is hashed from one input, with signature and example.

    The signature is of samples [N, ...] as a store has them and of packed codes uint8 [N, K/8]; the example is one
    empty sample. Loading runs `tracking/pyfunc.py` of the installed package and unpickles nothing.
    """
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    spec = load_model(model).spec
    if len(spec.inputs) == 1:
        field = spec.inputs[spec.modality].field
        of_sample, of_byte = np.dtype(field.dtype), np.dtype(np.uint8)
        signature = ModelSignature(
            Schema([TensorSpec(of_sample, (-1, *field.shape))]),
            Schema([TensorSpec(of_byte, (-1, spec.bits // 8))]),
        )
        mlflow.pyfunc.save_model(
            to,
            loader_module=pyfunc.__name__,
            signature=signature,
            input_example=np.zeros((1, *field.shape), of_sample),
            pip_requirements=[f"spikinghash=={package_version()}"],
        )
    shutil.copytree(model, to, dirs_exist_ok=True)
    return to
