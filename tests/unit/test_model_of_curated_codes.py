"""Codes of the pipeline are searched with the model of the pipeline, however their folder is written."""

from pathlib import Path

import pytest

from spikinghash.commands.output import CURATED_DB, DEFAULT_MODEL, in_use


@pytest.mark.parametrize("written", ["data/codes", "./data/codes", "data/../data/codes/", "/whole/data/codes"])
def test_the_champion_is_not_theirs(tmp_path, monkeypatch, written):
    monkeypatch.chdir(tmp_path)
    Path(CURATED_DB).mkdir(parents=True)
    (tmp_path / ".runs").mkdir()
    (tmp_path / ".runs/champion.json").write_text('{"name": "spikinghash", "version": 3, "digest": "0123"}')
    assert in_use(None, "data/archive") == "models:/spikinghash@champion"
    assert in_use(None, written.replace("/whole", str(tmp_path))) == DEFAULT_MODEL
