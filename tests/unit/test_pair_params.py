from pathlib import Path

import pytest
import yaml

from spikinghash.errors import ConfigError
from spikinghash.front_ends.table import FRONT_ENDS, build
from spikinghash.pair_params import load_pair_params
from spikinghash.pairs.importers.table import IMPORTERS, find_pairs
from spikinghash.pairs.split_rules import split_rule

PROJECT = Path(__file__).parents[2] / "crossmodal"
FILES = [PROJECT / "params.yaml", *sorted((PROJECT / "sets").glob("*.yaml"))]
GOOD = yaml.safe_load((PROJECT / "params.yaml").read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_of_the_project_are_in_order(path, tmp_path):
    whole = tmp_path / "params.yaml"
    whole.write_text(yaml.safe_dump(GOOD | yaml.safe_load(path.read_text())))
    params = load_pair_params(whole)
    assert params.pairs.importer in IMPORTERS
    split_rule(**params.pairs.split.model_dump(exclude={"protocol"}))
    for one in (params.features.image, params.features.text):
        if one is not None:
            assert build(one.front_end, one.options).name in FRONT_ENDS
    # options are known, whatever is or is not at the path
    find_pairs(params.pairs.importer, Path("nowhere"), params.pairs.options)


def wrong(tmp_path, *place, value):
    content = yaml.safe_load(yaml.safe_dump(GOOD))
    section = content
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError) as error:
        load_pair_params(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_typo_is_one_line_with_the_nearest_key(tmp_path):
    assert "did you mean pairs.importer?" in wrong(tmp_path, "pairs", "importr", value="parquet")
    assert "digit_pairs.seed" in wrong(tmp_path, "digit_pairs", "seed", value=-1)
    assert "say one of" in wrong(tmp_path, "pairs", "split", value={})
    assert "say one of" in wrong(tmp_path, "pairs", "split", value={"stated": True, "rows": {"test": "0-1"}})
    assert "validation" in wrong(tmp_path, "pairs", "split", value={"protocol": "coco", "val_fraction": 0.1})
    assert "needs" in wrong(tmp_path, "pairs", "needs", value=["sound"])
    assert "front end" in wrong(tmp_path, "features", value={})
    assert "captions" in wrong(tmp_path, "features", "image", value={"front_end": "pixels", "captions": [0]})


def test_a_missing_file_says_where_to_be(tmp_path):
    with pytest.raises(ConfigError, match="not found"):
        load_pair_params(tmp_path / "params.yaml")
