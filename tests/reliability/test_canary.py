"""No code is taken from the current directory, the landing folder or an archive, and good recordings are hashed."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import canaries
import hostile
import pytest
import warm

from spikinghash.codes.database import CodeDatabase

SCRIPT = Path(sysconfig.get_path("scripts")) / "spikinghash"
GOOD = 8

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not SCRIPT.exists(), reason="the console script is not installed"),
]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    """A landing folder with a canary for every name beside good recordings, and a model."""
    root = tmp_path_factory.mktemp("canaries")
    samples = root / "samples"
    samples.mkdir()
    for name, data in hostile.samples().items():
        (samples / name).write_bytes(data)
    names = canaries.names_of_readers(samples)
    assert {"json", "resource", "numpy", "numba", "h5py", "scipy", "PIL", "zipfile", "spikinghash"} <= names
    canaries.lay(root / "landing", names, root / "marks")
    for number in range(GOOD):
        (root / "landing" / f"good-{number}.bin").write_bytes(hostile.good(seed=number))
    warm.tiny_model(root / "model", sorted((root / "landing").glob("good-*.bin")))
    return root


def run(inbox, command, *arguments, **environment):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=inbox / "landing",
        env=plain | environment,
    )  # fmt: skip


def test_the_canaries_sing_where_the_current_directory_is_searched(inbox, tmp_path):
    """Or the tests below would prove nothing."""
    canaries.lay(tmp_path / "cage", ["tabnanny_of_ours"], tmp_path / "marks")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    program = [sys.executable, "-c", "import tabnanny_of_ours"]
    subprocess.run(program, cwd=tmp_path / "cage", env=plain, check=True)
    assert canaries.sung(tmp_path / "marks") == ["tabnanny_of_ours"]


@pytest.mark.parametrize("command", [[str(SCRIPT)], [sys.executable, "-m", "spikinghash"]], ids=["script", "module"])
def test_no_command_runs_what_lies_in_the_folder(inbox, tmp_path, command):
    """`python -m` itself looks for `spikinghash` there; everything after that is ours."""
    ours = inbox / "landing" / "spikinghash.py"
    if command[1:]:
        ours.unlink()
    try:
        described = run(inbox, command, "inspect", "good-0.bin", "--json")
        assert described.returncode == 0, described.stderr
        options = ("--db", tmp_path / "db", "--model", inbox / "model", "--json")
        encoded = run(inbox, command, "encode", ".", *options)
        assert encoded.returncode == 3, encoded.stderr
        report = json.loads(encoded.stdout)
        assert report["committed"] == GOOD
        refused = CodeDatabase.open(tmp_path / "db").quarantined().to_pylist()
        assert {row["reason"] for row in refused} == {"unknown-format"}
        found = run(inbox, command, "search", "good-1.bin", *options)
        assert found.returncode == 0, found.stderr
        assert len(json.loads(found.stdout)["results"]) == GOOD - 1
        assert canaries.sung(inbox / "marks") == []
    finally:
        ours.write_text(canaries.canary("spikinghash", inbox / "marks"))


def test_no_canary_sings_where_the_environment_names_the_folder_for_the_children(inbox):
    """PYTHONPATH is the user's to set for a command; what reads recordings does not follow it."""
    from spikinghash.events.archive import members
    from spikinghash.events.isolate import IsolatedDecoder
    from spikinghash.events.source import open_source

    before = dict(os.environ)
    os.environ |= {"PYTHONPATH": str(inbox / "landing"), "PYTHONSTARTUP": str(inbox / "landing/json.py")}
    try:
        with IsolatedDecoder() as decoder:
            assert decoder.decode(open_source(inbox / "landing/good-2.bin")).count > 0
        assert len(list(members(inbox / "landing/modules.zip"))) > 100
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert canaries.sung(inbox / "marks") == []
