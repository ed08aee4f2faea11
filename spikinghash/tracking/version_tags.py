"""Names of tags that versions and the runs they were made of carry."""

from __future__ import annotations

#: The digest of the model that was registered.
DIGEST = "model_digest"
#: Of a version: the run with the newest evaluation of its model.
EVALUATED = "evaluation_run"
#: Of a run, and of the version made of it: the id of the model that it logged.
LOGGED_MODEL = "logged_model"
