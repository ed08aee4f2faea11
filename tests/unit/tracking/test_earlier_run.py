"""An evaluation is one run in MLflow, however often a try was broken off, and wherever."""

import mlflow
import pytest
from killed_client import Crash, crash_in

from spikinghash.tracking.add_model import add_model

pytestmark = pytest.mark.filterwarnings("ignore")
NAME = "spikinghash"
#: What a client asks a server for while a model is added, in this order.
STEPS = ("create_logged_model", "finalize_logged_model", "log_outputs", "log_batch", "log_artifact", "set_terminated")


def runs(uri):
    client = mlflow.MlflowClient(uri)
    return client.search_runs([client.get_experiment_by_name(NAME).experiment_id])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["create_run", *STEPS])
def test_the_next_try_finishes_what_was_begun(evaluated, monkeypatch, step, after):
    uri = evaluated[0]
    with monkeypatch.context() as patch:
        crash_in(patch, step, after)
        with pytest.raises(Crash):
            add_model(*evaluated, {"train": {"epochs": 1}})
    made = add_model(*evaluated, {"train": {"epochs": 1}})
    (run,) = runs(uri)
    assert (run.info.run_id, run.info.status, made.version) == (made.run_id, "FINISHED", 1)
    assert run.data.metrics["map"] == 0.5
    assert len(mlflow.MlflowClient(uri).get_metric_history(run.info.run_id, "train/loss")) == 1
    again = add_model(*evaluated, {"train": {"epochs": 1}})
    assert (again.run_id, again.new_run, again.new_version) == (made.run_id, False, False)


def test_of_runs_whose_answers_were_lost_one_is_left(evaluated):
    uri = evaluated[0]
    for _ in range(3):
        with pytest.MonkeyPatch.context() as patch:
            crash_in(patch, "create_run", after=True)
            # what was begun before is not seen yet: the answers are on their way
            patch.setattr("spikinghash.tracking.add_model.earlier_run", lambda *_: (None, None))
            with pytest.raises(Crash):
                add_model(*evaluated, {})
    assert len(runs(uri)) == 3
    made = add_model(*evaluated, {})
    assert [(run.info.run_id, run.info.status) for run in runs(uri)] == [(made.run_id, "FINISHED")]
