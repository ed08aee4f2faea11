"""How much lies in the code table: what an archive grows by is the difference of two of these."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from spikinghash.codes.address import database_address
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.open_table import something_there
from spikinghash.codes.table_files import data_files


@dataclass(frozen=True)
class TableSize:
    """Codes of all models, and bytes of the data files that the newest version names."""

    codes: int
    bytes: int

    def to_json(self) -> dict[str, int]:
        """For the night report."""
        return asdict(self)


def table_size(db: str) -> TableSize:
    """The size of the codes of the database at `db`, zeros where there is none yet; errors of `CodeDatabase.open`."""
    if not something_there(f"{database_address(db)}/codes", {}):
        return TableSize(0, 0)
    files = data_files(CodeDatabase.open(db).snapshot("codes"))
    # our own files all say how many rows they have
    return TableSize(sum(file.rows or 0 for file in files), sum(file.size for file in files))
