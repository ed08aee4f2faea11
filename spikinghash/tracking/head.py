"""A registered model as one read shows it: tags, aliases and with them the promotion log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spikinghash.errors import ConfigError
from spikinghash.redact import redact
from spikinghash.tracking.promotion_log import Entry, read_log

#: The alias of the model that the nightly job uses.
CHAMPION = "champion"
#: MLflow's error code for what is not there.
ABSENT = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True)
class Head:
    """Tags and aliases of a registered model, as one read showed them."""

    tags: dict[str, str]
    aliases: dict[str, int]

    @property
    def champion(self) -> int | None:
        """The version in use; None for none."""
        return self.aliases.get(CHAMPION)

    @property
    def log(self) -> list[Entry]:
        """The promotion log."""
        return read_log(self.tags, self.champion)

    @property
    def logged_champion(self) -> int | None:
        """The version that the log says is in use; another one than `champion` where the alias was moved past it."""
        return next((entry.to for entry in reversed(self.log) if entry.state == "done"), None)


def read_head(client: Any, uri: str, name: str) -> Head:
    """Read a registered model; `ConfigError` if there is no such model."""
    from mlflow.exceptions import MlflowException

    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == ABSENT:
            raise ConfigError(
                f"no model {name!r} in the registry {redact(uri)}; `spikinghash registry add` registers one, --name "
                "and --uri choose another"
            ) from None
        raise
    return Head(dict(model.tags), {alias: int(version) for alias, version in sorted(model.aliases.items())})
