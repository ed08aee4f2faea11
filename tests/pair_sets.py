"""Small sets of pairs in the form of each importer, made up for tests: what they hold is known."""

import json
from itertools import pairwise

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from image_files import encoded, picture, put
from scipy.io import savemat

COUNT = 12
NAMES = ["animal", "sky", "water"]
ROWS = np.random.default_rng(5).integers(0, 2, (COUNT, len(NAMES)))
ROWS[:, 0] |= ROWS.sum(axis=1) == 0
LABELS = [tuple(name for name, mark in zip(NAMES, row, strict=True) if mark) for row in ROWS]
TEXTS = [(f"a dog, number {i}", f'its "second" caption {i}') for i in range(COUNT)]
SPLITS = ["test"] * 3 + ["train"] * 5 + ["database"] * 4
FEATURES = np.random.default_rng(6).normal(size=(COUNT, 7)).astype(np.float32)
TAGS = np.random.default_rng(7).integers(0, 2, (COUNT, 9))


def pictures(root, names):
    """A PNG at each path below `root`; returns their bytes."""
    contents = [encoded(picture(i, 16)) for i in range(len(names))]
    for name, content in zip(names, contents, strict=True):
        put(root / name, content)
    return contents


def parquet(root):
    contents = [encoded(picture(i, 16), "JPEG") for i in range(COUNT)]
    columns = {
        "name": [f"n{i}" for i in range(COUNT)],
        "jpeg": contents,
        "first": [text[0] for text in TEXTS],
        "rest": [[text[1]] for text in TEXTS],
        "classes": pa.array([np.flatnonzero(row).tolist() for row in ROWS], pa.list_(pa.int8())),
        "part": ["query", "query", "Test", *SPLITS[3:8], *["retrieval"] * 4],
    }
    root.mkdir(parents=True)
    pq.write_table(pa.table(columns), root / "pairs.parquet", row_group_size=5)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(FEATURES.astype(np.float16).ravel()), 7)
    pq.write_table(pa.table({"name": columns["name"], "vector": lists}), root / "features.parquet")
    (root / "names.json").write_text(json.dumps({"labels": NAMES}))
    options = {
        "id": "name", "image": "jpeg", "text": ["first", "rest"], "labels": ["classes"], "label_names": "names.json",
        "split": "part", "text_feature": "vector", "text_feature_file": "features.parquet",
    }  # fmt: skip
    known = {"pair_id": columns["name"], "text": TEXTS, "labels": LABELS, "image": contents, "split": SPLITS}
    return root / "pairs.parquet", options, known | {"text_feature": FEATURES.astype(np.float16)}


def caption_lines(line, head=""):
    def make(root):
        names = [f"{i}_ab.jpg" for i in range(COUNT)]
        contents = pictures(root / "Images", names)
        # captions of a picture are not side by side
        lines = [line(names[i], k, TEXTS[i][k]) for k in (0, 1) for i in range(COUNT)]
        put(root / "captions.txt", (head + "".join(lines)).encode())
        for split in ("train", "test", "database"):
            listed = [name for name, one in zip(names, SPLITS, strict=True) if one == split]
            put(root / f"{split}.txt", "\n".join(listed).encode())
        files = {split: f"{split}.txt" for split in ("train", "test", "database")}
        known = {"pair_id": names, "text": TEXTS, "image": contents, "split": SPLITS}
        return root / "captions.txt", {"pictures": "Images", "split_files": files}, known

    return make


def coco_json(root):
    ids, ends = [391895 + 7 * i for i in range(COUNT)], (0, 8, COUNT)
    categories = [{"id": number, "name": name} for number, name in zip((1, 44, 90), NAMES, strict=True)]
    contents = []
    for part, (first, stop) in enumerate(pairwise(ends)):
        some = range(first, stop)
        images = [{"id": ids[i], "file_name": f"{ids[i]:012}.jpg"} for i in some]
        texts = [{"id": 2 * i + k, "image_id": ids[i], "caption": TEXTS[i][k]} for k in (1, 0) for i in reversed(some)]
        marks = [
            {"image_id": ids[i], "category_id": one["id"]}
            for i in some for one in categories if one["name"] in LABELS[i] for _ in (1, 2)
        ]  # fmt: skip
        put(root / f"captions{part}.json", json.dumps({"images": images, "annotations": texts}).encode())
        content = {"images": images, "annotations": marks, "categories": categories}
        put(root / f"instances{part}.json", json.dumps(content).encode())
        contents += pictures(root / f"part{part}", [image["file_name"] for image in images])
    options = {
        "captions": ["captions0.json", "captions1.json"], "instances": ["instances0.json", "instances1.json"],
        "pictures": ["part0", "part1"], "splits": ["train", "database"],
    }  # fmt: skip
    splits = ["train"] * 8 + ["database"] * 4
    known = {"pair_id": [str(i) for i in ids], "text": TEXTS, "labels": LABELS, "image": contents, "split": splits}
    return root, options, known


def write_mat73(path, arrays):
    """As MATLAB writes 7.3: axes reversed, text as UTF-16 codes, cells as references; lists of texts become cells."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in arrays.items():
            if isinstance(value, np.ndarray):
                file.create_dataset(name, data=value.T)
                continue
            cells = np.empty((len(value[0]), len(value)), h5py.ref_dtype)
            for row, texts in enumerate(value):
                for column, text in enumerate(texts):
                    codes = np.array([ord(letter) for letter in text], np.uint16)[:, None]
                    cells[column, row] = file.create_dataset(f"#refs#/{name}{row}_{column}", data=codes).ref
            file.create_dataset(name, data=cells)
    with path.open("r+b") as out:
        out.write(b"MATLAB 7.3 MAT-file".ljust(128))


def write_mat5(path, arrays):
    as_cells = {}
    for name, value in arrays.items():
        if isinstance(value, np.ndarray):
            as_cells[name] = value
        elif len(value[0]) == 1:
            as_cells[name] = np.array([row[0] for row in value])  # as Python's own writers do: a matrix of text
        else:
            as_cells[name] = np.empty((len(value), len(value[0])), object)
            as_cells[name][:] = value
    savemat(path, as_cells)


def dcmh_mat(write):
    def make(root):
        root.mkdir(parents=True)
        pixels = np.stack([picture(i, 16) for i in range(COUNT)])
        # height x width x 3 x N
        images = pixels.transpose(2, 3, 1, 0)
        write(root / "FLICKR-25K.mat", {"images": images, "YAll": TAGS.astype(float), "LAll": ROWS.astype(float)})
        words = [f"tag{i}" for i in range(TAGS.shape[1])]
        texts = [(" ".join(np.array(words)[row == 1]),) for row in TAGS]
        known = {"text": texts, "labels": LABELS, "pixels": pixels, "text_feature": TAGS.astype(np.float32)}
        return root / "FLICKR-25K.mat", {"tag_names": words, "label_names": NAMES}, known

    return make


def clip_mat(write, captions):
    def make(root):
        names = [f"mirflickr/im{i}.jpg" for i in range(COUNT)]
        contents = pictures(root / "pictures", names)
        texts = [text[:captions] for text in TEXTS]
        write(root / "index.mat", {"index": [(f"/home/author/data/{name}",) for name in names]})
        write(root / "caption.mat", {"caption": texts})
        write(root / "label.mat", {"category": ROWS.astype(np.uint8)})
        known = {"text": texts, "labels": LABELS, "image": contents}
        return root, {"pictures": "pictures", "label_names": NAMES}, known

    return make


def nus_wide(root):
    names = [f"{NAMES[i % 3]}/{i:04}_{900 + i}.jpg" for i in range(COUNT)]
    contents = pictures(root / "Flickr", names)
    put(root / "ImageList/Imagelist.txt", "".join(name.replace("/", "\\") + "\r\n" for name in names).encode())
    for number, name in enumerate(NAMES):
        marks = "".join(f"{mark}\n" for mark in ROWS[:, number])
        put(root / f"Groundtruth/AllLabels/Labels_{name}.txt", marks.encode())
    texts = [(f"dog beach n{i}",) for i in range(COUNT)]
    lines = "".join(f"{900 + i}      {text[0].replace(' ', chr(9))}\n" for i, text in enumerate(texts))
    put(root / "NUS_WID_Tags/All_Tags.txt", lines.encode())
    known = {"pair_id": names, "text": texts, "labels": LABELS, "image": contents}
    return root, {"pictures": "Flickr"}, known


def hashnet_lists(root):
    names = [f"images/{i}.jpg" for i in range(COUNT)]
    contents = pictures(root / "pictures", names)
    lines = [" ".join([name, *map(str, row)]) for name, row in zip(names, ROWS, strict=True)]
    put(root / "test.txt", "\n".join(lines[:3]).encode())
    put(root / "train.txt", "\n".join(lines[3:8]).encode())
    put(root / "database.txt", "\n".join(lines[3:]).encode())  # those to train on are in it
    order = [*range(3, 8), *range(3), *range(8, COUNT)]
    known = {"pair_id": names, "labels": LABELS, "image": contents, "split": SPLITS}
    known = {what: [some[i] for i in order] for what, some in known.items()}
    return root, {"pictures": "pictures", "label_names": NAMES}, known


def feature_arrays(kind):
    def make(root):
        root.mkdir(parents=True)
        text = FEATURES[:, :4].astype(np.float16) if kind != "mat" else FEATURES[:, :4]
        arrays = {"image": FEATURES.astype(np.float64), "text": text, "labels": ROWS}
        if kind == "npy":
            for name, value in arrays.items():
                np.save(root / f"{name}.npy", value)
            options = {name: f"{name}.npy" for name in arrays}
        else:
            options = {name: f"all.{kind}:{name}" for name in arrays}
            if kind == "npz":
                np.savez(root / "all.npz", **arrays)
            elif kind == "mat":
                savemat(root / "all.mat", arrays)
            else:
                with h5py.File(root / "all.h5", "w") as file:
                    for name, value in arrays.items():
                        file[name] = value
        known = {"labels": LABELS, "image_feature": FEATURES, "text_feature": text}
        return root, options | {"label_names": NAMES}, known

    return make


def _quoted(name, number, text):
    return f'{name},"{text.replace(chr(34), chr(34) * 2)}"\n'


#: By name: the importer and what makes the set, which returns path, options, and lists of what it holds.
SETS = {
    "parquet": ("parquet", parquet),
    "flickr8k csv": ("caption_lines", caption_lines(lambda name, k, text: f"{name},{text}\n", "image,caption\n")),
    "flickr8k quoted": ("caption_lines", caption_lines(_quoted, "image,caption\n")),
    "flickr8k token": ("caption_lines", caption_lines(lambda name, k, text: f"{name}#{k}\t{text}\n")),
    "flickr30k csv": (
        "caption_lines",
        caption_lines(lambda name, k, text: f"{name}| {k}| {text}\n", "image_name| comment_number| comment\n"),
    ),
    "coco": ("coco_json", coco_json),
    "dcmh 7.3": ("dcmh_mat", dcmh_mat(write_mat73)),
    "dcmh 5": ("dcmh_mat", dcmh_mat(write_mat5)),
    "clip 5": ("clip_mat", clip_mat(write_mat5, 1)),
    "clip 5 two captions": ("clip_mat", clip_mat(write_mat5, 2)),
    "clip 7.3": ("clip_mat", clip_mat(write_mat73, 1)),
    "clip 7.3 two captions": ("clip_mat", clip_mat(write_mat73, 2)),
    "nus-wide": ("nus_wide", nus_wide),
    "hashnet": ("hashnet_lists", hashnet_lists),
    "npy": ("feature_arrays", feature_arrays("npy")),
    "npz": ("feature_arrays", feature_arrays("npz")),
    "h5": ("feature_arrays", feature_arrays("h5")),
    "mat": ("feature_arrays", feature_arrays("mat")),
}
