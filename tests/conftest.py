"""Environment of all tests: no telemetry, one place for slow fixtures."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent

for name, value in {
    "DVC_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_STATE_TRACKING": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(name, value)


def pytest_collection_modifyitems(items):
    """With several workers a file stays together, for its fixtures, and all files that use the one project too."""
    shared = {item.path for item in items if "project" in getattr(item, "fixturenames", ())}
    for item in items:
        group = "project" if item.path in shared else str(item.path.relative_to(HERE))
        item.add_marker(pytest.mark.xdist_group(group))
