"""What the gate refused is promoted only by a reason of its own, and the log keeps it."""

import pytest
from registry_cases import NAME, add_version, set_experiment_place
from typer.testing import CliRunner

from spikinghash.cli import app
from spikinghash.errors import ConfigError
from spikinghash.tracking.gate_tags import write_verdict
from spikinghash.tracking.promotion import promote
from spikinghash.tracking.run import client_for
from spikinghash.tracking.versions import read_registry

pytestmark = pytest.mark.filterwarnings("ignore")


def finding(rule, passed, said):
    return {"rule": rule, "passed": passed, "figure": 1.0, "bound": 0.0, "said": said}


def verdict(*findings):
    return {"passed": all(f["passed"] for f in findings), "champion": "a" * 16, "findings": findings}


GOOD = verdict(finding("map", True, "better"))
WORSE, LEAK = finding("map", False, "mAP 0.4 against 0.6"), finding("leak", False, "9 queries")
BAD = verdict(WORSE, LEAK, finding("card", True, "whole"))


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """Version 1 no gate has seen, 2 passed, 3 was refused."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    set_experiment_place(uri, folder / "artifacts")
    for number in (1, 2, 3):
        add_version(uri, folder / f"model-{number}", number, 0.5)
    write_verdict(client_for(uri), NAME, 2, GOOD)
    write_verdict(client_for(uri), NAME, 3, BAD)
    return uri


def test_versions_show_what_the_gate_said(uri):
    three, two, one = read_registry(uri, NAME).versions
    assert [v["gate"] for v in (one, two, three)] == [None, "passed", "refused"]
    assert three["refused"] == ["leak: 9 queries", "map: mAP 0.4 against 0.6"]
    assert (one["refused"], two["refused"]) == ([], [])


def test_a_refused_version_needs_an_override_which_the_log_keeps(uri):
    promote(uri, NAME, 2, "it passed")
    said = r"the gate refused version 3: leak: 9 queries; map: mAP 0\.4 against 0\.6; `--override"
    with pytest.raises(ConfigError, match=said):
        promote(uri, NAME, 3, "I like it")
    with pytest.raises(ConfigError, match="--override says is empty"):
        promote(uri, NAME, 3, "I like it", " ")
    assert read_registry(uri, NAME).aliases["champion"] == 2
    asked = ("--uri", uri, "--name", NAME)
    why = ("--reason", "new data", "--override", "labels were wrong")
    done = CliRunner().invoke(app, ["registry", "promote", "3", *why, *asked])
    assert done.exit_code == 0, done.output
    assert "the gate had refused it; overridden: labels were wrong" in done.stdout
    promote(uri, NAME, 1, "no gate has seen it", "not needed")
    log = read_registry(uri, NAME).log
    assert [entry.override for entry in log] == [None, "labels were wrong", None]


def test_a_new_verdict_takes_the_place_of_the_old_one(uri):
    write_verdict(client_for(uri), NAME, 3, verdict(finding("map", True, "fine"), finding("leak", True, "none")))
    shown = read_registry(uri, NAME, 3).versions[0]
    assert (shown["gate"], shown["refused"]) == ("passed", [])
