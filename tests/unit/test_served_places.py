"""Which places a flow run of the service may name: those of its project, and stores where a store makes sense."""

from pathlib import Path

import pytest

from spikinghash.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "params.yaml"


class Served:
    id = "a deployment"


@pytest.fixture
def project(tmp_path, monkeypatch):
    from pipelines import project as module

    monkeypatch.setattr(module, "deployment", Served)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(SHIPPED.read_text())
    return module


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("db", "/tmp/evil"), ("db", "../evil"), ("db", "file:///tmp/evil"), ("db", "FILE:///tmp/evil"),
        ("landing", "file:///etc"), ("landing", "http://h/x"), ("reports", "x://../../evil"), ("reports", "s3://b/x"),
        ("cache", "s3://b/x"), ("model", "../model"), ("model", "s3://b/m"), ("db", ""),
    ],
)  # fmt: skip
def test_places_outside_are_refused(project, name, place):
    with pytest.raises(ConfigError):
        project.allowed_place(name, place)


@pytest.mark.parametrize(
    ("name", "place"),
    [("db", "data/archive"), ("db", "s3://b/x"), ("landing", "s3://b/x"), ("reports", "reports/nightly")],
)
def test_places_of_the_project_and_stores_are_allowed(project, name, place):
    assert project.allowed_place(name, place) == place


def test_further_folders_are_those_of_whoever_serves(project, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    monkeypatch.setenv(project.ALLOWED, str(other))
    assert project.allowed_place("db", str(other / "archive"))
    with pytest.raises(ConfigError):
        project.allowed_place("db", f"{other}-evil/archive")


@pytest.mark.parametrize("uri", ["http://elsewhere:5000", "sqlite:////tmp/evil.db", "sqlite:///../evil.db"])
def test_the_registry_is_the_projects_own(project, uri):
    with pytest.raises(ConfigError):
        project.allowed_registry("tracking", uri)
    project.allowed_registry("tracking", None)
    project.allowed_registry("tracking", "sqlite:///mlflow.db")


@pytest.mark.parametrize("said", ["abc", "0", "70000", "-5", "4200 "])
def test_a_port_is_a_port(monkeypatch, said):
    from pipelines.serve import _port

    monkeypatch.setenv("SPIKINGHASH_PREFECT_PORT", said)
    with pytest.raises(ConfigError, match=r"SPIKINGHASH_PREFECT_PORT is .* a port is a number from 1 to 65535"):
        _port("PREFECT", 4200)
    monkeypatch.setenv("SPIKINGHASH_PREFECT_PORT", "")
    assert _port("PREFECT", 4200) == 4200
