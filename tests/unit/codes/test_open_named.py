"""What an answer calls a recording is taken as input again, also inside archives; models are named alike everywhere."""

import json
import zipfile
from pathlib import Path

import pytest
import yaml
from tiny_model import recording, save_tiny
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.codes.open_named import open_named
from spikinghash.commands.search_picture import _clips
from spikinghash.errors import BadRecording
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.index.nearest import Answer, Neighbour
from spikinghash.params import load_params
from spikinghash.tracking.promotion import promote
from spikinghash.tracking.registry import register
from spikinghash.tracking.run import log_run
from spikinghash.training.checkpoint import load_model

SHIPPED = Path(__file__).parents[3] / "params.yaml"
pytestmark = pytest.mark.filterwarnings("ignore")


def run(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "camera!1.zip", "w") as out:
        for seed in range(3):
            out.writestr(f"day/{seed}.bin", recording(seed))
    return tmp_path / "camera!1.zip"


def test_a_member_is_opened_by_its_name(archive, tmp_path):
    assert open_named(Path(f"{archive}!day/1.bin")).data == recording(1)
    with pytest.raises(BadRecording, match=r"has no member 'day/7\.bin'"):
        open_named(Path(f"{archive}!day/7.bin"))
    with pytest.raises(BadRecording, match="cannot open"):
        open_named(tmp_path / "none!1.zip!a.bin")


def test_search_prints_names_and_takes_them_again(archive, tmp_path):
    save_tiny(tmp_path / "model", 1)
    where = ("--db", tmp_path / "db", "--model", tmp_path / "model")
    assert run("encode", archive, *where, "--settle-s", 0)[0] == 0
    code, first = run("search", f"{archive}!day/0.bin", *where)
    assert code == 0
    names = [hit["recording"] for hit in first["results"]]
    assert sorted(names) == [f"{archive}!day/1.bin", f"{archive}!day/2.bin"]
    for name in names:
        assert run("search", name, *where)[0] == 0
        assert run("inspect", name)[1]["events"] == 2000
    text = CliRunner().invoke(app, ["search", names[0], *map(str, where)]).stdout
    assert f"{archive}!day/0.bin" in text
    assert "us" in text.split("\n")[0]
    picture = tmp_path / "answer.gif"
    assert run("search", names[0], *where, "--gif", picture)[0] == 0
    hits = [Neighbour(**hit) for hit in first["results"]]
    answer = Answer(archive, None, None, 16, hits)
    with IsolatedDecoder() as decoder:
        found = _clips([answer], tmp_path / "no-frames", load_model(tmp_path / "model").spec, decoder)
    assert set(found) == {hit.clip_id for hit in hits}


def test_a_registered_model_is_known_to_every_command(archive, tmp_path, monkeypatch):
    digest = save_tiny(tmp_path / "model", 1)
    params = load_params(SHIPPED).model_dump(mode="json")
    params["tracking"]["uri"] = f"sqlite:///{tmp_path / 'mlflow.db'}"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(tmp_path)
    run_id = log_run(
        params["tracking"]["uri"], "spikinghash", name="tiny", params={}, metrics={}, history=[],
        tags={"model_digest": digest}, folders={"model": tmp_path / "model"},
    )  # fmt: skip
    promote(
        params["tracking"]["uri"], "spikinghash",
        int(register(params["tracking"]["uri"], "spikinghash", run_id, "model")), "first",
    )  # fmt: skip
    champion = ("--model", "models:/spikinghash@champion")
    assert run("encode", archive, "--db", "db", *champion, "--settle-s", 0)[0] == 0
    for model in (champion, ("--model", "model"), ("--model", digest)):
        code, accounts = run("fsck", "--db", "db", "--archive", archive, *model)
        assert (code, accounts["committed"], accounts["pending"]) == (0, 3, 0)
        assert run("export", "--db", "db", "--out", "codes.parquet", *model)[1]["rows"] == 3
        assert run("index", "--db", "db", "--out", "index", *model)[1]["rows"] == 3
