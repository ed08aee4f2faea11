"""Prefect flows: when things run, and nothing about how."""

import os

os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
# Prefect starts `python -m` processes, which would look for modules in the current directory first
os.environ["PYTHONSAFEPATH"] = "1"

#: The project that is served: set by `make serve` for the processes of flow runs, which start in another folder.
PROJECT = "SPIKINGHASH_PROJECT"
