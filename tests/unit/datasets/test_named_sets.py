"""Data sets as they are downloaded: tiny trees in exactly their layouts."""

from typing import get_args

import numpy as np
import pytest
from scipy.io import savemat

from spikinghash.data.open_store import open_store
from spikinghash.datasets.layouts import GENERAL, LAYOUTS, PICTURE_FILES, find_recordings
from spikinghash.errors import ConfigError
from spikinghash.events import nmnist
from spikinghash.events.reader import read_recording
from spikinghash.events.validate import validate
from spikinghash.frames.framing import Framing
from spikinghash.ingest.recordings import ingest
from spikinghash.params import DatasetParams

NAMED = [name for name in LAYOUTS if name not in GENERAL]
T, X, Y, P = np.array([[10, 2000, 5000, 9000], [1, 2, 3, 4], [0, 7, 8, 9], [1, 0, 0, 1]])


def put(root, *names, content=b"x"):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def mat(root, *names):
    for name in names:
        put(root, name)
        savemat(root / name, {"ts": T[:, None], "x": X[:, None], "y": Y[:, None], "pol": P[:, None]})


def npz(root, *names):
    for name in names:
        put(root, name)
        np.savez(root / name, t=T, x=X, y=Y, p=P)


def found(root, layout):
    return [(r.recording_id, r.label, r.split) for r in find_recordings(root, layout)]


@pytest.mark.parametrize("layout", NAMED)
def test_an_empty_folder_says_what_to_download_and_where_to_put_it(tmp_path, layout):
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(
            ConfigError, match=r"get .*(figshare|github|research\.ibm|mendeley|cs\.toronto|cs231n\.stanford).* exist"
        ) as caught:
            find_recordings(root, layout)
        assert str(root) in str(caught.value)


def test_the_parameters_know_all_layouts():
    assert set(get_args(DatasetParams.model_fields["layout"].annotation)) == set(LAYOUTS)
    pictures = {name for name in LAYOUTS if DatasetParams(path="", layout=name).has_pictures}
    assert pictures == set(PICTURE_FILES)


def gesture(root):
    put(root / "DvsGesture", "user01_led.aedat", "user24_lab.aedat", "user29_lab.aedat")
    table = "class,startTime_usec,endTime_usec\n"
    put(root, "DvsGesture/user01_led_labels.csv", content=(table + "1,100,200\n9,190,400\n10,350,500\n").encode())
    put(root, "DvsGesture/user24_lab_labels.csv", content=(table + "11,7,9\n").encode())
    put(root, "DvsGesture/user29_lab_labels.csv", content=(table + "2,7,9\n").encode())


def test_gesture_as_published(tmp_path):
    gesture(tmp_path)
    put(tmp_path, "DvsGesture/trials_to_train.txt", content=b"user01_led.aedat\nuser29_lab.aedat\n")
    put(tmp_path, "DvsGesture/trials_to_test.txt", content=b"user24_lab.aedat\n")
    assert found(tmp_path, "dvs128_gesture") == [
        ("DvsGesture/user01_led.aedat@100-199", "01 hand clapping", "train"),
        ("DvsGesture/user01_led.aedat@190-399", "09 air drums", "train"),
        ("DvsGesture/user01_led.aedat@350-499", "10 air guitar", "train"),
        ("DvsGesture/user24_lab.aedat@7-8", "11 other gestures", "test"),
        ("DvsGesture/user29_lab.aedat@7-8", "02 right hand wave", "train"),
    ]
    first = find_recordings(tmp_path, "dvs128_gesture")[0]
    assert (first.start_us, first.end_us, first.file, first.sensor) == (
        100, 199, "DvsGesture/user01_led.aedat", (128, 128),
    )  # fmt: skip
    assert first.path == tmp_path / "DvsGesture/user01_led.aedat"


def test_gesture_without_lists_goes_by_users(tmp_path):
    gesture(tmp_path)
    assert [split for _, _, split in found(tmp_path, "dvs128_gesture")] == ["train"] * 3 + ["test"] * 2


@pytest.mark.parametrize("text", ["class,start\n1,2\n", "class,startTime_usec,endTime_usec\n1,x,3\n", "\xff"])
def test_gesture_with_a_bad_table(tmp_path, text):
    put(tmp_path, "user01_led_labels.csv", content=text.encode("latin-1"))
    if text == "\xff":
        assert_nothing(tmp_path)
        return
    with pytest.raises(ConfigError, match="startTime_usec"):
        find_recordings(tmp_path, "dvs128_gesture")


def assert_nothing(root):
    with pytest.raises(ConfigError):
        find_recordings(root, "dvs128_gesture")


def test_gesture_of_tonic_in_milliseconds(tmp_path):
    table = np.stack([X, Y, P, T / 1000], axis=1)
    for name in ("ibmGestureTrain/user01_led/0.npy", "ibmGestureTest/user24_lab/10.npy"):
        put(tmp_path, name)
        np.save(tmp_path / name, table)
    assert found(tmp_path, "dvs128_gesture") == [
        ("ibmGestureTest/user24_lab/10.npy", "11 other gestures", "test"),
        ("ibmGestureTrain/user01_led/0.npy", "01 hand clapping", "train"),
    ]
    (one, _) = find_recordings(tmp_path, "dvs128_gesture")
    assert read_recording(one.path, sensor=one.sensor, options=one.options).t.tolist() == T.tolist()


def test_gesture_of_spikingjelly(tmp_path):
    npz(tmp_path, "events_np/train/0/user01_led_0.npz", "events_np/test/10/user24_lab_0.npz")
    assert found(tmp_path, "dvs128_gesture") == [
        ("events_np/test/10/user24_lab_0.npz", "11 other gestures", "test"),
        ("events_np/train/0/user01_led_0.npz", "01 hand clapping", "train"),
    ]
    npz(tmp_path, "events_np/train/11/user01_led_0.npz")
    with pytest.raises(ConfigError, match="no class 12"):
        find_recordings(tmp_path, "dvs128_gesture")


def aedat2(x, y, on):
    address = [0 if p else 1 for p in on] + (np.array(x) << 1) + (np.array(y) << 8)
    words = np.stack([address, np.arange(len(x)) * 100], axis=1).astype(">u4")
    return b"#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n" + words.tobytes()


def test_cifar10_in_both_orientations(tmp_path):
    put(tmp_path, "airplane/cifar10_airplane_0.aedat", content=aedat2([5, 6], [20, 21], [1, 0]))
    assert found(tmp_path, "cifar10_dvs") == [("airplane/cifar10_airplane_0.aedat", "airplane", None)]
    plain, turned = (find_recordings(tmp_path, layout)[0] for layout in ("cifar10_dvs", "cifar10_dvs_spikingjelly"))
    seen = read_recording(plain.path, sensor=plain.sensor, options=plain.options)
    theirs = read_recording(turned.path, sensor=turned.sensor, options=turned.options)
    # spikingjelly.datasets.cifar10_dvs: x = 127 - (bits 8-14), y = 127 - (bits 1-7), p = 1 - bit 0
    assert theirs.x.tolist() == [127 - 20, 127 - 21]
    assert theirs.y.tolist() == [127 - 5, 127 - 6]
    assert theirs.p.tolist() == seen.p.tolist() == [1, 0]


def test_the_orientation_is_in_the_digest(tmp_path):
    put(tmp_path / "raw", "a/0.aedat", "a/1.aedat", content=aedat2([5, 6], [20, 21], [1, 0]))
    plain, turned = (
        ingest(tmp_path / "raw", layout, tmp_path / "out", Framing(2)).field
        for layout in ("cifar10_dvs", "cifar10_dvs_spikingjelly")
    )
    assert plain.digest != turned.digest
    assert turned.made_by["config"]["reading"] == {"flip_x": True, "flip_y": True, "transpose": True}


def test_n_caltech101(tmp_path):
    events = validate(T, X, Y, P, sensor=(240, 180), format="test")
    put(tmp_path, "Caltech101/ant/image_0001.bin", "Caltech101/yin/image_0001.bin", content=nmnist.to_bytes(events))
    put(tmp_path, "Caltech101_annotations/ant/annotation_0001.bin")
    assert found(tmp_path, "n_caltech101") == [
        ("Caltech101/ant/image_0001.bin", "ant", None),
        ("Caltech101/yin/image_0001.bin", "yin", None),
    ]


def test_ucf101_with_the_official_list(tmp_path):
    names = ["Billards/v_Billards_g01_c01.mat", "Billards/v_Billards_g09_c01.mat", "Rowing/v_Rowing_g08_c01.mat"]
    mat(tmp_path, *names)
    assert [split for _, _, split in found(tmp_path, "ucf101_dvs")] == [None] * 3
    put(tmp_path, "testlist01.txt", content=b"Billiards/v_Billiards_g01_c01.avi\nRowing/v_Rowing_g01_c01.avi\n")
    assert found(tmp_path, "ucf101_dvs") == [
        (names[0], "Billiards", "test"),
        (names[1], "Billiards", "train"),
        (names[2], "Rowing", "train"),
    ]
    one = find_recordings(tmp_path, "ucf101_dvs")[0]
    assert read_recording(one.path, sensor=one.sensor, options=one.options).y.tolist() == (179 - Y).tolist()
    put(tmp_path, "testlist01.txt", content=b"Rowing/v_Rowing_g01_c01.avi\n")
    with pytest.raises(ConfigError, match="none of the 3 clips"):
        find_recordings(tmp_path, "ucf101_dvs")


def test_ucf101_as_braincog_sorts_it(tmp_path):
    mat(tmp_path, "train/Rowing/v_Rowing_g08_c01.mat", "val/Rowing/v_Rowing_g01_c01.mat")
    assert [(label, split) for _, label, split in found(tmp_path, "ucf101_dvs")] == [
        ("Rowing", "train"),
        ("Rowing", "test"),
    ]


def test_hmdb51(tmp_path):
    mat(tmp_path, "run/a_1.mat", "run/b_2.mat", "walk/c_3.mat")
    assert [split for _, _, split in found(tmp_path, "hmdb51_dvs")] == [None] * 3
    put(tmp_path, "splits/run_test_split1.txt", content=b"a_1.avi 1 \nb_2.avi 2 \n")
    with pytest.raises(ConfigError, match="in none of the lists"):
        find_recordings(tmp_path, "hmdb51_dvs")
    put(tmp_path, "splits/walk_test_split1.txt", content=b"c_3.avi 0\n")
    assert found(tmp_path, "hmdb51_dvs") == [("run/a_1.mat", "run", "train"), ("run/b_2.mat", "run", "test")]
    put(tmp_path, "splits/walk_test_split1.txt", content=b"c_3.avi 7\n")
    with pytest.raises(ConfigError, match="not a name and 0, 1 or 2"):
        find_recordings(tmp_path, "hmdb51_dvs")


def test_hmdb51_as_aedat(tmp_path):
    put(tmp_path, "run/a_1.aedat")
    assert find_recordings(tmp_path, "hmdb51_dvs")[0].options.layout == "davis240"
    put(tmp_path, "run/a_1.mat")
    with pytest.raises(ConfigError, match="mixes"):
        find_recordings(tmp_path, "hmdb51_dvs")


def test_hardvs(tmp_path):
    npz(tmp_path, "MINI_HARDVS_files/action_001/dvSave-1.npz", "MINI_HARDVS_files/action_300/dvSave-2.npz")
    assert [split for _, _, split in found(tmp_path, "hardvs")] == [None, None]
    put(tmp_path, "train_label.txt", content=b"action_001/dvSave-1 0\n")
    put(tmp_path, "test_label.txt", content=b"action_300/dvSave-2 299\naction_300/dvSave-missing 299\n")
    assert found(tmp_path, "hardvs") == [
        ("MINI_HARDVS_files/action_001/dvSave-1.npz", "action_001", "train"),
        ("MINI_HARDVS_files/action_300/dvSave-2.npz", "action_300", "test"),
        ("MINI_HARDVS_files/action_300/dvSave-missing.npz", "action_300", "test"),
    ]
    report = ingest(tmp_path, "hardvs", tmp_path / "out", Framing(2, downsample=2))
    assert report.ledger.reasons == {"unreadable": 1}
    assert open_store(tmp_path / "out").spec.fields["events"].shape == (2, 2, 130, 173)
    for line in (b"../a/b 1\n", b"/etc/passwd 1\n", b"a/../b 1\n"):
        put(tmp_path, "train_label.txt", content=line)
        with pytest.raises(ConfigError, match="is not action_NNN"):
            find_recordings(tmp_path, "hardvs")


def test_asl(tmp_path):
    mat(tmp_path, "b/b_0001.mat", "a/a_0001.mat", "a/a_0002.mat")
    recordings = find_recordings(tmp_path, "asl_dvs")
    assert {r.label for r in recordings} == {"a", "b"}
    report = ingest(tmp_path, "asl_dvs", tmp_path / "out", Framing(3), test_fraction=0.4, val_fraction=0.1)
    assert report.field.shape[2:] == (180, 240)
    assert report.ledger.events_in == 12 == report.ledger.framed
