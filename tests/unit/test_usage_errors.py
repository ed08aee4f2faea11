"""Wrong arguments and files that cannot be written: exit code 1, one line, and with --json one document."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-E", "-P", str(Path(__file__).parents[2] / "spikinghash/start.py"), "spikinghash")


def run(*arguments, cwd=None):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "--json"), ("search", "a.bin", "--nope", "--json"), ("search", "a.bin", "--k", "many", "--json"),
        ("nothing", "--json"), ("registry", "promote", "0", "--reason", "x", "--json"), ("registry", "show", "--json"),
        ("search", "a.bin", "--db", "", "--json"), ("encode", "a.bin", "--db", " ", "--json"),
    ],
)  # fmt: skip
def test_a_usage_error_is_one_line_one_document_and_code_1(arguments):
    done = run(*arguments)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["reason"] == "usage"
    assert len(done.stderr.strip().splitlines()) == 1
    assert run(*arguments[:-1]).returncode == 1


def test_without_arguments_the_help_is_shown():
    done = run()
    assert done.returncode == 1
    assert "encode" in done.stdout


@pytest.mark.parametrize("name", ["codes", "codes/deeper", "other/../codes"])
def test_encode_does_not_write_into_an_output_of_dvc(tmp_path, name):
    (tmp_path / "dvc.yaml").write_text("stages:\n  encode:\n    cmd: x\n    outs: [data/codes]\n")
    (tmp_path / "data/other").mkdir(parents=True)
    done = run("encode", tmp_path, "--db", f"data/{name}", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "belongs to the DVC stage encode" in json.loads(done.stdout)["error"]["message"]
    assert not (tmp_path / "data/codes").exists()


def test_the_default_database_of_encode_is_the_archive(tmp_path):
    done = run("encode", "--help")
    assert "data/archive" in done.stdout


def test_a_file_that_cannot_be_written_is_no_bug(tmp_path):
    (tmp_path / "reports").mkdir()
    done = run("report", "--reports", tmp_path / "reports", "--out", "/proc/none/report.html", "--json")
    assert done.returncode == 1
    assert "bug" not in done.stderr
