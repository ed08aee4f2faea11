"""The search index: what it finds is what a stable sort finds, and damage is refused before it is parsed."""

import json

import faiss
import numba
import numpy as np
import pytest

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import BadStore, ConfigError, StaleModel, Temporary
from spikinghash.evaluation.hamming import hamming_distances
from spikinghash.index import flat
from spikinghash.index.faiss_file import flat_from_bytes
from spikinghash.index.flat import HammingIndex, build_index


def code_set(codes, model="m1"):
    n = len(codes)
    return CodeSet(
        clip_ids=np.array([f"clip-{i:06}" for i in range(n)], dtype=object),
        codes=codes,
        labels=np.array([None if i % 3 == 0 else "cat" for i in range(n)], dtype=object),
        recordings=np.array([f"r{i}" for i in range(n)], dtype=object),
        splits=np.array([None] * n, dtype=object),
        start_us=np.arange(n, dtype=np.int64),
        end_us=np.arange(n, dtype=np.int64) + 7,
        model=model,
        bits=codes.shape[1] * 8,
        version=3,
    )


def random_codes(rng, rows, width, ties):
    codes = rng.integers(0, 256, (rows, width), dtype=np.uint8)
    if ties:  # three bits that vary: almost every distance is shared
        codes[:, 1:] = 0
        codes &= 7
    return codes


def oracle(queries, gallery, k):
    distances = np.bitwise_count(queries[:, None, :] ^ gallery[None, :, :]).sum(axis=2).astype(np.int32)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, axis=1)


@pytest.fixture
def built(tmp_path):
    codes = code_set(random_codes(np.random.default_rng(0), 50, 4, ties=False))
    build_index(codes, tmp_path / "index")
    return tmp_path / "index", codes


def test_flat_ties_at_every_width(tmp_path):
    """The smallest (distance, row) pairs, also where the cut at k goes through a tie."""
    rng = np.random.default_rng(1)
    for trial in range(100):
        width, rows = int(rng.choice([2, 3, 4, 5, 8, 9, 12, 16, 17, 32])), int(rng.integers(1, 1500))
        gallery = random_codes(rng, rows, width, ties=trial % 2 == 0)
        queries = random_codes(rng, int(rng.integers(1, 70)), width, ties=trial % 2 == 0)
        if trial % 3 == 0:  # farthest first: every row enters the heap and pushes another out
            gallery = gallery[np.argsort(-hamming_distances(queries[:1], gallery)[0].astype(int), kind="stable")]
        k = int(rng.integers(1, rows + 5))
        build_index(code_set(gallery), tmp_path)
        positions, distances = HammingIndex.load(tmp_path).search(queries, k)
        expected_positions, expected_distances = oracle(queries, gallery, min(k, rows))
        assert positions.dtype == np.int64
        assert distances.dtype == np.int32
        np.testing.assert_array_equal(positions, expected_positions)
        np.testing.assert_array_equal(distances, expected_distances)


def test_ties_do_not_depend_on_threads(built):
    folder, codes = built
    index, before = HammingIndex.load(folder), numba.get_num_threads()
    try:
        found = []
        for threads in (1, before):
            numba.set_num_threads(threads)
            found.append(index.search(codes.codes & 1, 13))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])


def test_one_mask_over_all_codes_changes_nothing(built, tmp_path):
    folder, codes = built
    mask = np.array([0x5A, 0xFF, 0x01, 0x80], dtype=np.uint8)
    build_index(code_set(codes.codes ^ mask), tmp_path / "masked")
    plain = HammingIndex.load(folder).search(codes.codes, 50)
    masked = HammingIndex.load(tmp_path / "masked").search(codes.codes ^ mask, 50)
    np.testing.assert_array_equal(plain, masked)


def test_the_clips_say_what_the_rows_are(built):
    folder, codes = built
    index = HammingIndex.load(folder)
    assert index.clips.column("clip_id").to_pylist() == codes.clip_ids.tolist()
    assert index.clips.column("label").to_pylist() == codes.labels.tolist()
    assert index.clips.column("end_us").to_pylist() == codes.end_us.tolist()
    assert (index.manifest.model, index.manifest.bits, index.manifest.rows) == ("m1", 32, 50)
    assert index.manifest.database_version == 3


def test_same_codes_same_files(built, tmp_path):
    folder, codes = built
    build_index(codes, tmp_path / "again")
    for file in folder.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()
    assert len(list(folder.iterdir())) == 3


def test_faiss_opens_the_file_and_finds_the_same_distances(built):
    folder, codes = built
    theirs = faiss.read_index_binary(str(folder / "index.faiss"))
    assert isinstance(theirs, faiss.IndexBinaryFlat)
    np.testing.assert_array_equal(faiss.vector_to_array(theirs.xb).reshape(-1, 4), HammingIndex.load(folder).codes)
    np.testing.assert_array_equal(theirs.search(codes.codes, 9)[0], HammingIndex.load(folder).search(codes.codes, 9)[1])


def test_a_search_among_some_rows_and_within_a_radius(built):
    folder, codes = built
    index, allowed = HammingIndex.load(folder), np.arange(50) % 3 == 1
    positions, distances = index.search(codes.codes, 60, model="m1", allowed=allowed)
    assert positions.shape == (50, 17)
    assert set(positions.ravel()) == set(np.flatnonzero(allowed))
    found = index.within(codes.codes, 12, model="m1", allowed=allowed)
    for query in range(50):
        near = distances[query] <= 12
        np.testing.assert_array_equal(found.of(query), (positions[query][near], distances[query][near]))
    with pytest.raises(StaleModel, match="m2"):
        index.within(codes.codes, 12, model="m2")
    with pytest.raises(ConfigError, match="row mask must be bool"):
        index.search(codes.codes, 1, allowed=allowed[:49])


def test_what_is_not_a_flat_index_is_refused():
    theirs = faiss.IndexBinaryFlat(16)
    theirs.add(np.arange(6, dtype=np.uint8).reshape(3, 2))
    content = faiss.serialize_index_binary(theirs).tobytes()
    assert flat_from_bytes(content).tolist() == [[0, 1], [2, 3], [4, 5]]
    other = faiss.serialize_index_binary(faiss.IndexBinaryHash(16, 4)).tobytes()
    # sign of the row count, bytes of all codes, bits
    broken = [
        content[:18] + b"\xff" + content[19:],
        content[:25] + b"\x07" + content[26:],
        content[:4] + b"\x11" + content[5:],
    ]
    for wrong in (b"", content[:20], content[:-1], content + b"\0", other, *broken):
        with pytest.raises(ValueError, match=r"short|flat|fit"):
            flat_from_bytes(wrong)


def test_no_queries_give_no_neighbours(built):
    positions, distances = HammingIndex.load(built[0]).search(np.zeros((0, 4), np.uint8), 3)
    assert positions.shape == distances.shape == (0, 3)


def test_codes_of_another_model_are_refused(built):
    index = HammingIndex.load(built[0])
    query = np.zeros((1, 4), np.uint8)
    assert index.search(query, 1, model="m1")[0].shape == (1, 1)
    with pytest.raises(StaleModel, match="m2"):
        index.search(query, 1, model="m2")
    with pytest.raises(StaleModel, match="16 bits, the index 32"):
        index.search(query[:, :2], 1)


def test_what_is_not_a_search_is_refused(built):
    index = HammingIndex.load(built[0])
    for query, k in [(np.zeros((1, 4), np.uint8), 0), (np.zeros(4, np.uint8), 1), (np.zeros((1, 4), np.int64), 1)]:
        with pytest.raises(ConfigError):
            index.search(query, k)


@pytest.mark.parametrize("name", ["index.faiss", "clips.parquet"])
def test_a_flipped_byte_is_refused_before_it_is_parsed(built, monkeypatch, name):
    path = built[0] / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(flat, "flat_from_bytes", lambda _: pytest.fail("parsed damaged bytes"))
    with pytest.raises(BadStore, match=f"{name}.*SHA-256"):
        HammingIndex.load(built[0])


@pytest.mark.parametrize("name", ["index.faiss", "clips.parquet", "index.json"])
def test_a_missing_file_is_named(built, name):
    (built[0] / name).unlink()
    with pytest.raises(BadStore):
        HammingIndex.load(built[0])


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 99},
        {"rows": 49},
        {"bits": 64},
        {"rows": "many"},
        {"files": {}},
        {"surprise": 1},
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(built, change):
    path = built[0] / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadStore):
        HammingIndex.load(built[0])


@pytest.mark.parametrize("content", ["", "[]", "{", "null"])
def test_a_manifest_that_is_not_one_is_refused(built, content):
    (built[0] / "index.json").write_text(content)
    with pytest.raises(BadStore):
        HammingIndex.load(built[0])


def test_a_crash_while_building_leaves_no_mixed_index(built, monkeypatch):
    folder, codes = built
    written = []

    def crash(path, content):
        written.append(path.name)
        if path.name == "index.json":
            raise Temporary("the disk is full")
        path.write_bytes(content)

    monkeypatch.setattr(flat, "write_atomically", crash)
    with pytest.raises(Temporary):
        build_index(code_set(codes.codes[:20]), folder)
    assert written[-1] == "index.json"
    with pytest.raises(BadStore, match="SHA-256"):
        HammingIndex.load(folder)


def test_no_codes_no_index(tmp_path):
    with pytest.raises(ConfigError):
        build_index(code_set(np.zeros((0, 4), np.uint8)), tmp_path)
