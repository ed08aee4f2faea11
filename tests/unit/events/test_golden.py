"""Every recording of the shared format samples against the values independent readers gave."""

import csv
from pathlib import Path

import pytest

from spikinghash.errors import BadRecording
from spikinghash.events.reader import read_recording

FORMATS = Path(__file__).parents[3] / "../shared/data/formats"
NUMBERS = ("events", "t_first_us", "t_last_us", "on", "off", "sum_x", "sum_y")


def rows():
    table = FORMATS / "golden.csv"
    if not table.is_file():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


ROWS = rows()
pytestmark = pytest.mark.skipif(not ROWS, reason="no shared data here")


@pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in ROWS])
def test_golden_values(row):
    path = FORMATS / row["file"]
    if not row["on"]:
        with pytest.raises(BadRecording) as caught:
            read_recording(path)
        assert (caught.value.reason, caught.value.offset) == ("event-type", 15)
        return
    events = read_recording(path)
    summary = events.summary()
    assert {key: summary[key] for key in NUMBERS} == {key: int(row[key]) for key in NUMBERS}
    for name, column in (("x", events.x), ("y", events.y)):
        assert (int(column.min()), int(column.max())) == (int(row[f"{name}_min"]), int(row[f"{name}_max"]))
    assert events.reordered == int(row["backward_steps"])


@pytest.mark.parametrize(
    ("file", "sensor", "dropped"),
    [
        ("aedat2/davis240c_translating_boxes.aedat", (240, 180), {"imu": 33837}),
        ("aedat2/dvs_poker_club.aedat", (128, 128), {}),
        ("aedat3.1/dvs128_scissors_reencoded.aedat", (128, 128), {}),
        ("aedat4/davis346_frames_imu_triggers.aedat4", (346, 260), {"aps": 3, "imu": 130, "external": 15}),
        ("evt2/gen3_640x480_a.raw", (640, 480), {}),
        ("evt3/gen41_1280x720_short.raw", (1280, 720), {}),
        ("evt3/imx636_1280x720_first300k_words.raw", (1280, 720), {"vendor": 8614}),
        ("dat/gen4_first150k_type0c.dat", (1280, 720), {}),
        ("es/ncars_converted.es", (54, 239), {}),
        ("h5/dvsgesture_right_hand_wave_prophesee_layout.h5", (128, 128), {}),
    ],
)
def test_sensors_and_what_is_left_out(file, sensor, dropped):
    events = read_recording(FORMATS / file)
    assert ((events.width, events.height), dict(events.dropped)) == (sensor, dropped)


def test_the_same_recording_in_two_formats_is_the_same():
    one, other = (
        read_recording(FORMATS / name) for name in ("aedat2/dvs_poker_club.aedat", "dat/poker_club_headerless.dat")
    )
    assert (one.t - one.t[0] == other.t).all()
    for name in "xyp":
        assert (getattr(one, name) == getattr(other, name)).all()
