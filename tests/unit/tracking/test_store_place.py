"""A registry that was moved, replaced, damaged or is away: right files, or one clear line; reading makes nothing."""

import json
import shutil

import mlflow
import pytest
from registry_cases import NAME, add_version
from tiny_model import save_tiny
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.errors import BadCheckpoint, ConfigError, SpikinghashError, Temporary
from spikinghash.tracking.promotion import promote
from spikinghash.tracking.registry import load_registered
from spikinghash.tracking.versions import read_registry

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project folder with a registry of two versions, the first of them champion."""
    folder = tmp_path_factory.mktemp("place") / "project"
    folder.mkdir()
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    digests = [add_version(uri, folder / f"model-{n}", n, 0.5) for n in (1, 2)]
    promote(uri, NAME, 1, "first")
    return folder, digests


@pytest.fixture
def moved(made, tmp_path):
    """The project at another place; the old one is out of reach while the test runs."""
    away = made[0].with_name("away")
    shutil.copytree(made[0], tmp_path / "moved")
    made[0].rename(away)
    yield tmp_path / "moved", made[1]
    shutil.rmtree(made[0], ignore_errors=True)
    away.rename(made[0])


def uri_of(folder):
    return f"sqlite:///{folder / 'mlflow.db'}"


def test_a_moved_project_works_as_before(moved):
    folder, digests = moved
    uri = uri_of(folder)
    assert load_registered(uri, f"models:/{NAME}@champion").digest == digests[0]
    promote(uri, NAME, 2, "after the move")
    assert load_registered(uri, f"models:/{NAME}@champion").digest == digests[1]


def test_a_moved_project_writes_where_it_is_now(moved, made):
    folder, _ = moved
    add_version(uri_of(folder), folder / "model-3", 3, 0.5)
    assert not made[0].exists()
    version = mlflow.MlflowClient(uri_of(folder)).get_model_version(NAME, "3")
    assert str(folder) in version.source


def test_files_that_happen_to_be_at_the_old_place_are_not_used(moved, made):
    folder, digests = moved
    source = mlflow.MlflowClient(uri_of(folder)).get_model_version(NAME, "1").source.removeprefix("file://")
    save_tiny(made[0].joinpath(*source.split("/")[len(made[0].parts) :]), 9)
    assert load_registered(uri_of(folder), f"models:/{NAME}/1").digest == digests[0]
    shutil.rmtree(folder / "mlartifacts")
    with pytest.raises(BadCheckpoint, match=r"holds model|no files at"):
        load_registered(uri_of(folder), f"models:/{NAME}/1")


def test_replaced_files_of_the_champion_are_refused_by_digest(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "p")
    uri = uri_of(tmp_path / "p")
    (place,) = [p for p in (tmp_path / "p" / "mlartifacts").rglob("model.json") if made[1][0] in p.read_text()]
    save_tiny(place.parent, 9)
    with pytest.raises(BadCheckpoint, match=f"holds model .* but {made[1][0]} was registered"):
        load_registered(uri, f"models:/{NAME}@champion")


def test_the_log_keeps_the_digest_of_what_was_promoted(made):
    (entry,) = read_registry(uri_of(made[0]), NAME).log
    assert entry.digest == made[1][0]


@pytest.mark.parametrize("with_run", [True, False])
def test_a_version_with_its_source_elsewhere_is_not_promoted(made, tmp_path, with_run):
    shutil.copytree(made[0], tmp_path / "p")
    uri = uri_of(tmp_path / "p")
    save_tiny(tmp_path / "elsewhere", 9)
    client = mlflow.MlflowClient(uri)
    run_id = client.get_model_version(NAME, "1").run_id if with_run else None
    client.create_model_version(NAME, source=(tmp_path / "elsewhere").as_uri(), run_id=run_id)
    with pytest.raises(BadCheckpoint, match="lies below"):
        promote(uri, NAME, 3, "from elsewhere")
    assert read_registry(uri, NAME).aliases["champion"] == 1


@pytest.mark.parametrize(
    ("uri", "content", "kind", "words"),
    [
        ("sqlite:///{tmp}/none.db", None, ConfigError, "there is no"),
        ("sqlite:///{tmp}/notes.txt", b"no database\n" * 100, ConfigError, "is no SQLite database"),
        ("sqlite:///{tmp}/cut.db", b"SQLite format 3\0" + bytes(84), SpikinghashError, "registry sqlite"),
        ("sqlit:///{tmp}/mlflow.db", None, SpikinghashError, "registry sqlit"),
        ("sqlite:////nowhere/at/all/mlflow.db", None, ConfigError, "there is no"),
        ("http://127.0.0.1:9", None, Temporary, "run the same command again"),
    ],
)
def test_a_registry_that_cannot_be_read_is_one_line_and_nothing_is_made(
    tmp_path, monkeypatch, uri, content, kind, words
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    place = uri.format(tmp=tmp_path)
    if content is not None:
        (tmp_path / place.rsplit("/", 1)[1]).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    for read in (lambda: read_registry(place, NAME), lambda: load_registered(place, f"models:/{NAME}@champion")):
        with pytest.raises(kind, match=words) as error:
            read()
        assert "\n" not in str(error.value)
    assert sorted(tmp_path.iterdir()) == before


def test_without_a_champion_the_line_says_how_to_promote(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "p")
    mlflow.MlflowClient(uri_of(tmp_path / "p")).delete_registered_model_alias(NAME, "champion")
    with pytest.raises(BadCheckpoint, match="spikinghash registry promote VERSION"):
        load_registered(uri_of(tmp_path / "p"), f"models:/{NAME}@champion")


def test_the_command_ends_with_one_line_and_code_1_or_75(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    for uri, code in ((f"sqlite:///{tmp_path}/none.db", 1), ("http://127.0.0.1:9", 75)):
        done = CliRunner().invoke(app, ["registry", "list", "--uri", uri, "--name", NAME, "--json"])
        assert done.exit_code == code
        assert "error" in json.loads(done.stdout)
