"""Settings are read strictly: what could mean two things, or unfold into more than was written, is refused by line."""

from pathlib import Path

import pytest

from spikinghash.errors import ConfigError
from spikinghash.params import load_params
from spikinghash.strict_yaml import MAX_BYTES, MAX_DEPTH, parse_yaml, read_yaml

PARAMS = Path(__file__).parents[2] / "params.yaml"
BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: .*the key a stands twice"),
        ("a: {b: 1, b: 2}\n", "line 1: .*the key b stands twice"),
        (BOMB, "line 2: .*aliases are not read"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), f"nested deeper than {MAX_DEPTH}"),
        ("[" * 100_000, "nested deeper"),
        ("a: !!python/object/apply:os.system [true]\n", "line 1: "),
        ("a: [1, 2\n", "line 2: "),
        ("a: \x00\n", "not readable as YAML"),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(ConfigError, match=rf"p\.yaml.*{words}"):
        parse_yaml(text, Path("p.yaml"))


def test_a_huge_file_is_refused_unread(tmp_path):
    (tmp_path / "p.yaml").write_bytes(b"# " + bytes(MAX_BYTES))
    with pytest.raises(ConfigError, match="no settings of ours"):
        read_yaml(tmp_path / "p.yaml")


def test_a_key_that_stands_twice_in_the_parameters_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS.read_text().replace("  epochs: 18", "  epochs: 18\n  epochs: 4"))
    with pytest.raises(ConfigError, match="the key epochs stands twice"):
        load_params(tmp_path / "params.yaml")
