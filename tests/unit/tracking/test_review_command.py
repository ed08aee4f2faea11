"""`spikinghash registry compare --page`, and the page that the gate leaves with a challenger's run."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import yaml
from registry_cases import NAME, add_version
from small_store import event_row, event_spec
from tiny_model import META, save_tiny
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.data.open_store import create_store
from spikinghash.judge_model import judge_model
from spikinghash.params import load_params
from spikinghash.tracking.add_model import add_model
from spikinghash.tracking.promotion import promote

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
SHIPPED = Path(__file__).parents[3] / "params.yaml"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with params.yaml, clips of two classes, and a registry of two models, of which the first is champion."""
    folder = tmp_path_factory.mktemp("project")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    params = load_params(SHIPPED).model_dump(mode="json") | {"tracking": {"uri": uri, "experiment": NAME}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    mlflow.MlflowClient(uri).create_experiment(NAME, artifact_location=(folder / "artifacts").as_uri())
    rng = np.random.default_rng(0)
    with create_store(folder / "data/frames", event_spec(META), "parquet") as out:
        for number in range(36):
            counts = rng.poisson(0.1 + 0.2 * (number % 2), META.shape).astype(np.uint8)
            split = ("train", "val", "test")[number % 3]
            row = event_row(f"{number:02}", "ab"[number % 2], split, int(counts.sum()), sha256=f"{number + 1:064x}")
            out.add(row, {"events": counts})
    digests = [add_version(uri, folder / f"model-{seed}", seed, 0.5) for seed in (1, 2)]
    promote(uri, NAME, 1, "the first one")
    return folder, uri, digests


def compare(*arguments):
    done = CliRunner().invoke(app, ["registry", "compare", "1", "2", *arguments])
    assert done.exit_code == 0, done.stdout + done.stderr
    return done.stdout


def test_compare_writes_the_page_where_it_is_told_to(place, monkeypatch):
    folder, _, digests = place
    monkeypatch.chdir(folder)
    assert json.loads(compare("--json"))["page"] is None
    assert not (folder / "new").exists()
    assert compare("--page", "new/review page.html").splitlines()[-1] == "page: new/review page.html"
    page = (folder / "new/review page.html").read_text()
    assert all(digest in page for digest in digests)
    assert "spikinghash registry compare 1 2 --page &#39;new/review page.html&#39;" in page


def test_the_gate_leaves_a_page_that_goes_with_the_challengers_run(place, tmp_path, monkeypatch):
    folder, uri, digests = place
    monkeypatch.chdir(folder)
    reports, model = tmp_path / "reports", tmp_path / "model"
    digest = save_tiny(model, 3, {"history": [], "recipe": {"epochs": 1}})
    reports.mkdir()
    evaluation = {"task": {"model_digest": digest}, "metrics": {}}
    (reports / "evaluation.json").write_text(json.dumps(evaluation))
    (reports / "metrics.json").write_text("{}")
    params = load_params(Path("params.yaml"))

    verdict = judge_model(params, model, Path("data/frames"), reports, (uri, NAME))
    page = (reports / "review.html").read_text()
    assert verdict.champion == digests[0]
    assert "the champion, version 1</h1>" in page
    assert all(one in page for one in (digests[0], digest))

    added = add_model(uri, NAME, model, reports, {}, verdict.to_dict())
    assert "review.html" in {artifact.path for artifact in mlflow.MlflowClient(uri).list_artifacts(added.run_id)}

    # the champion has nobody to be compared with, and a page on others must not go with its run
    same = judge_model(params, folder / "model-1", Path("data/frames"), reports, (uri, NAME))
    assert same.champion == same.candidate == digests[0]
    assert not (reports / "review.html").exists()
