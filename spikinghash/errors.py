"""Named errors. Every failure a user can cause is one of these, with one clear line and an exit code."""

from __future__ import annotations

EXIT_OK = 0
EXIT_USER = 1
EXIT_BUG = 2
EXIT_QUARANTINED = 3
EXIT_TEMPORARY = 75


class SpikinghashError(Exception):
    """Base of all errors this package raises on purpose; `exit_code` is what a command returns for it."""

    exit_code = EXIT_USER


class ConfigError(SpikinghashError):
    """`params.yaml` or an argument is wrong."""


class BadRecording(SpikinghashError):
    """A recording was refused.

    `reason` is a short code from the fixed list in `schema.REASONS`; `offset` is the byte where the rule was
    broken, or None where no single byte is to blame.
    """

    def __init__(self, reason: str, message: str, offset: int | None = None) -> None:
        where = "" if offset is None else f" (byte {offset})"
        super().__init__(f"{reason}: {message}{where}")
        self.reason = reason
        self.message = message
        self.offset = offset


class BadCheckpoint(SpikinghashError):
    """A model folder is missing, damaged or not one of ours."""


class BadStore(SpikinghashError):
    """A sample store, code database or index is missing, damaged or of another schema version."""


class StaleModel(SpikinghashError):
    """Codes of one model were about to be compared with codes of another."""


class TrainingCollapsed(SpikinghashError):
    """Training stopped carrying information: not-a-number loss, silent layers or identical codes."""


class Temporary(SpikinghashError):
    """Nothing is wrong with the input; run the same command again (disk full, locked, lost race)."""

    exit_code = EXIT_TEMPORARY
