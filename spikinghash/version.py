"""The version of this program, as its installed package states it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    """For example `0.1.0`; `unknown` where the package is run without being installed."""
    try:
        return version("spikinghash")
    except PackageNotFoundError:
        return "unknown"
