import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import encoded, picture

from spikinghash.errors import ConfigError
from spikinghash.pairs.importers.table import find_pairs


def table(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def found(path, **options):
    return list(find_pairs("parquet", path, options))


def test_pictures_may_be_structures_and_features_plain_lists_with_gaps(tmp_path):
    image = encoded(picture(1, 8))
    rows = pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float64()))
    path = table(
        tmp_path / "a.parquet", img=[{"bytes": image, "path": "a.png"}, None, None], x=rows, y=["a", None, "b"]
    )
    one, two, three = found(path, image="img", image_feature="x", labels=["y"], text=["y"])
    assert (one.picture, two.picture) == (image, None)
    assert (one.image_feature.tolist(), one.image_feature.dtype, two.image_feature) == ([1, 2], np.float32, None)
    assert (one.pair_id, two.labels, two.text, three.labels) == ("0", (), (), ("b",))


def test_a_row_without_an_id_is_no_pair_called_none(tmp_path):
    path = table(tmp_path / "a.parquet", id=["a", None, "None", ""], t=["x", "y", "z", "w"])
    assert [one.pair_id for one in found(path, id="id", text="t")] == ["a", "", "None", ""]


def test_ids_of_several_columns_are_joined(tmp_path):
    path = table(tmp_path / "a.parquet", split=["test", "train"], number=[7, 7], text=["a", "b"])
    pairs = found(path, id=["split", "number"], text=["text"], split="split")
    assert [(pair.pair_id, pair.split) for pair in pairs] == [("test/7", "test"), ("train/7", "train")]


@pytest.mark.parametrize(
    ("beside", "why"),
    [
        ({"id": ["b", "a"], "x": [[1.0], [2.0]]}, "another order"),
        ({"x": [[1.0]]}, "number of rows"),
        ({"x": [[1.0], [2.0], [3.0]]}, "number of rows"),
        ({"x": ["no", "list"]}, "lists of numbers"),
        ({"y": [[1.0], [2.0]]}, "no column 'x'"),
    ],
)
def test_tables_that_do_not_go_together_are_refused(tmp_path, beside, why):
    path = table(tmp_path / "a.parquet", id=["a", "b"], text=["t", "u"])
    table(tmp_path / "b.parquet", **beside)
    with pytest.raises(ConfigError, match=why):
        found(path, id="id", text=["text"], text_feature="x", text_feature_file="b.parquet")


def test_mistakes_in_options_are_said(tmp_path):
    path = table(tmp_path / "a.parquet", id=["a"], number=[5])
    (tmp_path / "names.json").write_text('{"labels": ["x", 3]}')
    for options, why in (
        ({"id": "nobody"}, "nobody"),
        ({"text_feature_file": "a.parquet"}, "say by text_feature"),
        ({"labels": ["number"], "label_names": ["x"]}, "no number of one of 1 names"),
        ({"labels": ["number"], "label_names": "names.json"}, "no list of names"),
        ({"labels": ["number"], "label_names": "missing.json"}, r"missing\.json"),
    ):
        with pytest.raises(ConfigError, match=why):
            found(path, **options)


def test_arrays_of_other_files_and_objects_are_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.ones((2, 3))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        file.create_group("g")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}, None]), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.ones((2, 2, 2)))
    for place in ("a.h5:x", "a.h5:g", "a.h5", "objects.npy", "cube.npy", "missing.npy", "a.txt"):
        with pytest.raises(ConfigError, match=str(tmp_path)):
            list(find_pairs("feature_arrays", tmp_path, {"image": place}))
