"""Files of an evaluation that are JSON and none of ours: one line, and nothing is registered."""

import mlflow
import pytest

from spikinghash.errors import BadStore
from spikinghash.tracking.add_model import add_model, evaluation_of
from spikinghash.training.checkpoint import load_model

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("metrics.json", "[]", "holds no object of JSON"),
        ("metrics.json", "null", "holds no object of JSON"),
        ("metrics.json", "{bad", "cannot be read"),
        ("metrics.json", '{"map": "x"}', 'map is "x", no finite number'),
        ("metrics.json", '{"map": {"a": 1}}', "no finite number"),
        ("metrics.json", '{"map": NaN}', "map is NaN, no finite number"),
        ("evaluation.json", "[]", "holds no object of JSON"),
        ("evaluation.json", "null", "holds no object of JSON"),
        ("evaluation.json", '{"task": []}', "is of model unknown"),
    ],
)
def test_one_line(evaluated, name, content, said):
    uri, _, model, reports = evaluated
    (reports / name).write_text(content)
    with pytest.raises(BadStore, match="run `dvc repro`") as caught:
        evaluation_of(reports, model, load_model(model).digest)
    assert said in str(caught.value)
    with pytest.raises(BadStore):
        add_model(*evaluated, {})
    assert mlflow.MlflowClient(uri).search_registered_models() == []
