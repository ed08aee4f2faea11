"""How a night is judged: as the project says, else by the defaults."""

from pathlib import Path

import pytest
import yaml

from spikinghash.errors import ConfigError
from spikinghash.night_params import NightParams
from spikinghash.project_params import load_night

ROOT = Path(__file__).parents[2]


def test_the_shipped_file_shows_the_defaults():
    assert load_night(ROOT / "params.yaml") == NightParams()
    assert yaml.safe_load((ROOT / "params.yaml").read_text())["night"] == NightParams().model_dump()


def test_a_project_says_otherwise(tmp_path):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["night"] = {"recall": 0.5}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    assert load_night(tmp_path / "params.yaml") == NightParams(recall=0.5)


def test_without_a_project_or_in_one_of_pairs_the_defaults_hold(tmp_path):
    assert load_night(tmp_path / "params.yaml") == NightParams()
    assert load_night(ROOT / "crossmodal/params.yaml") == NightParams()


@pytest.mark.parametrize(("key", "value"), [("recall", 1.1), ("refused_share", -0.1), ("drift", "a"), ("pinned", -1)])
def test_what_is_no_bound_is_one_line(tmp_path, key, value):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["night"][key] = value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=rf"night\.{key}: "):
        load_night(tmp_path / "params.yaml")
