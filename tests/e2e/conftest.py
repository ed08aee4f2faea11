"""Tiny projects, run once, for all end-to-end tests."""

import warnings

import pytest
from pipeline import closed_form, copy_project, dvc, spikinghash, stages_run


def tiny(params):
    params["synthesize"]["limit"] = 240
    params["train"] |= {"epochs": 2, "workers": 1, "batch": 16}
    params["evaluate"]["k"] = [1, 10]
    params["report"] = {"queries": 3, "neighbours": 4}
    # so small a model is no good one; what the gate refuses has tests of its own
    params["gate"] |= {"min_map": 0.0, "dead_bits": 1.0, "drift": 1.0}


def made(folder, settings):
    """A project in which `dvc repro report` has run and the model is registered, and the stages that ran."""
    copy_project(folder, settings)
    ran = stages_run(dvc(folder, "repro", "report"))
    added = spikinghash(folder, "registry", "add")
    assert added.returncode == 0, added.stderr
    return folder, ran


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A project whose model is a network."""
    return made(tmp_path_factory.mktemp("project"), tiny)


@pytest.fixture(scope="session")
def learned(tmp_path_factory):
    """A project whose model is learned in closed form, which takes a second."""
    return made(tmp_path_factory.mktemp("learned"), closed_form)[0]


@pytest.fixture(scope="session")
def prefect():
    """One temporary Prefect server for all flows; its start takes most of a flow's time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from prefect.testing.utilities import prefect_test_harness

        with prefect_test_harness(server_startup_timeout=120):
            yield
