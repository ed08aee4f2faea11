"""A stage that fails says so by its own name: the flow `retrain` picks that line out of what DVC prints."""

import subprocess
from pathlib import Path

from pipelines.retrain import _reason
from spikinghash.isolation import isolated_command


def test_the_reason_of_a_failed_stage_is_the_stages_line(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("{}\n")
    command = isolated_command("stages.ingest")
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("stages.ingest: ")
    said = [*run.stderr.splitlines(), "ERROR: failed to reproduce 'ingest': exited with 1"]
    assert _reason(said).startswith("stages.ingest: ")
