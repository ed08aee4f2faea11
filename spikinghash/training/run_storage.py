"""Where Ray keeps the states of a training: a local folder, or an object store, which outlives the machines."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import fs

from spikinghash.errors import ConfigError
from spikinghash.remote_store import is_address, open_store, remote_errors


@dataclass(frozen=True)
class RunStorage:
    """`runs` is the local folder of histories, `address` that of the states, None for the same folder."""

    runs: Path
    address: str | None = None

    def options(self) -> dict[str, Any]:
        """What Ray's `RunConfig` takes.

        Raises `ConfigError` for an address that nothing opens and `Temporary` for a store that does not answer.
        """
        if self.address is None:
            return {"storage_path": str(self.runs.resolve())}
        store, path = self._open(self.address)
        with remote_errors(self.address):
            store.get_file_info(path)
        return {"storage_path": path, "storage_filesystem": store}

    def remove(self, name: str) -> None:
        """What is left of a finished run of that name."""
        shutil.rmtree(self.runs / name, ignore_errors=True)
        if self.address is not None:
            store, path = self._open(self.address)
            with remote_errors(self.address):
                store.delete_dir_contents(f"{path}/{name}", missing_dir_ok=True)

    @staticmethod
    def _open(address: str) -> tuple[fs.FileSystem, str]:
        if not is_address(address):
            raise ConfigError(f"ray.storage: {address} is no address; write s3://bucket/prefix, or leave it empty")
        return open_store(address)
