"""When flows run, from params.yaml."""

from pathlib import Path

import pytest
import yaml

from spikinghash.errors import ConfigError
from spikinghash.params import check_params, load_params

SHIPPED = Path(__file__).parents[2] / "params.yaml"


def changed(**schedule):
    content = yaml.safe_load(SHIPPED.read_text())
    content["schedule"] |= schedule
    return check_params(content, Path("params.yaml")).schedule


def test_the_shipped_ones_are_valid_for_prefect():
    from pipelines.deployments import schedules_of

    when = load_params(SHIPPED).schedule
    for line in (when.nightly, when.retrain):
        (schedule,) = schedules_of(line, when.timezone)
        assert (schedule.cron, schedule.timezone) == (line, "UTC")


def test_a_local_zone_and_a_flow_that_only_a_person_starts():
    from pipelines.deployments import schedules_of

    when = changed(timezone="Europe/Berlin", nightly="30 2 * * mon-fri", retrain=None)
    (schedule,) = schedules_of(when.nightly, when.timezone)
    assert schedule.timezone == "Europe/Berlin"
    assert schedules_of(when.retrain, when.timezone) == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("nightly", "every night", "five fields"),
        ("retrain", "0 3 * *", "five fields"),
        ("retrain", "0 3 * * 0; rm x", "five fields"),
        ("timezone", "Middle/Earth", "Europe/Berlin"),
        ("timezone", "../../etc/passwd", "Europe/Berlin"),
    ],
)
def test_what_is_no_schedule_is_one_line(key, value, said):
    with pytest.raises(ConfigError, match=rf"schedule\.{key}.*{said}"):
        changed(**{key: value})


def test_nights_are_logged_and_hash_with_the_shadow_that_is_named():
    from pipelines.deployments import deployments_of

    for shadow in (None, "models:/spikinghash@challenger"):
        (nightly,) = [one for one in deployments_of(changed(shadow=shadow), "sqlite:///x.db") if one.name == "nightly"]
        assert nightly.parameters == {"shadow": shadow, "tracking": "sqlite:///x.db"}
