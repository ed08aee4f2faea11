"""An evaluated model and an empty registry."""

import pytest
from registry_cases import NAME, set_experiment_place, write_evaluation


@pytest.fixture
def evaluated(tmp_path):
    """What `add_model` takes first: address and name of the registry, folders of the model and of its evaluation."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    set_experiment_place(uri, tmp_path / "artifacts")
    return uri, NAME, *write_evaluation(tmp_path)
