"""One tiny project, run once, for all end-to-end tests."""

import pytest
from pipeline import copy_project, dvc, stages_run


def tiny(params):
    params["synthesize"]["limit"] = 240
    params["train"] |= {"epochs": 2, "workers": 1, "batch": 16}
    params["evaluate"]["k"] = [1, 10]
    params["report"] = {"queries": 3, "neighbours": 4}


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A project in which `dvc repro report` has run; its `ran` lists the stages."""
    folder = copy_project(tmp_path_factory.mktemp("project"), tiny)
    ran = stages_run(dvc(folder, "repro", "report"))
    return folder, ran
