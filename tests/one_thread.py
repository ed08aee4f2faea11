"""A fixture of many folders: their `conftest.py` imports it."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors: a second thread only waits. Tests that need two ask for them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
