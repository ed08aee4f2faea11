"""A query never finds its own recording, however many clips of it there are."""

import pytest
from test_searcher import SHA, database, oracle, random_codes, told

from spikinghash.codes.codeset import recording_key
from spikinghash.index.nearest import other_recordings
from spikinghash.index.searcher import open_searcher

assert database  # a fixture


@pytest.mark.parametrize(("k", "radius"), [(1, None), (60, None), (250, None), (500, None), (None, 5), (40, 5)])
def test_clips_of_the_recording_itself_are_left_out(database, tmp_path, k, radius):
    """A third of the clips are of the query's recording, more than a search has to spare."""
    queries = random_codes(2, seed=8)
    codes = open_searcher(database, "m1", tmp_path / "index")
    found = other_recordings(codes, queries, [recording_key(SHA[0]), recording_key(SHA[2])], k, radius, None)
    expected = [
        *oracle(queries[:1], k, radius, lambda i: i % 3 != 0),
        *oracle(queries[1:], k, radius, lambda i: i % 3 != 2),
    ]
    assert told(found) == expected
