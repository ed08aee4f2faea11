"""MLflow's client as a kill leaves it: within one of its calls, before or after that has done its work."""

import mlflow


class Crash(BaseException):
    """A kill, for the process and whatever it had begun."""


def crash_in(monkeypatch, method, after):
    """Let MLflow's client die in `method`, before or after it has done its work."""
    real = getattr(mlflow.MlflowClient, method)

    def dying(self, *arguments, **more):
        if after:
            real(self, *arguments, **more)
        raise Crash

    monkeypatch.setattr(mlflow.MlflowClient, method, dying)
