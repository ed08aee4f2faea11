"""CSV as people and programs write it: the same events, or a refusal that says something true."""

import numpy as np
import pytest

from spikinghash.errors import BadRecording
from spikinghash.events.options import ReadOptions
from spikinghash.events.reader import decode
from spikinghash.events.source import Source

N = 300
T = np.sort(np.random.default_rng(11).integers(0, 90_000, N))
ROWS = [(int(t), i % 34, i % 30, i % 2) for i, t in enumerate(T)]


def lines(pattern, head="t,x,y,p\n", end="\n"):
    return (head + "".join(pattern(i, row) + end for i, row in enumerate(ROWS))).encode()


def plain(_, row):
    return ",".join(map(str, row))


DIALECTS = {
    "the index column of pandas": lines(lambda i, r: f"{i},{plain(i, r)}", ",t,x,y,p\n"),
    "polarity as True and False": lines(lambda i, r: f"{r[0]},{r[1]},{r[2]},{bool(r[3])}"),
    "floats that are whole": lines(lambda i, r: ",".join(f"{v:.1f}" for v in r)),
    "blanks after the commas": lines(lambda i, r: ", ".join(map(str, r)), "timestamp, x, y, polarity\n"),
    "names in quotes": lines(plain, '"t","x","y","p"\n'),
    "CRLF and a byte order mark": lines(plain, "\ufefft,x,y,p\r\n", "\r\n"),
    "a further column": lines(lambda i, r: f"{r[2]},{r[1]},77,{r[3]},{r[0]}", "y,x,brightness (a.u.),p,t\n"),
    "scientific notation": lines(lambda i, r: f"{r[0]:.6e},{r[1]},{r[2]},{r[3]}"),
    "comments before the header, which is one": lines(plain, "# recorded by us\n# t,x,y,p\n"),
    "a unit in the name": lines(plain, "t [us],x,y,p\n"),
    "nanoseconds in the name": lines(lambda i, r: f"{r[0] * 1000},{r[1]},{r[2]},{r[3]}", "time (ns),x,y,p\n"),
    "seconds in the name": lines(lambda i, r: f"{r[0] / 1e6:.6f},{r[1]},{r[2]},{r[3]}", "t (s),x,y,p\n"),
}


def read(data, tmp_path, **options):
    return decode(Source(tmp_path / "a.csv", data), options=ReadOptions(**options))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_gives_the_same_events(name, tmp_path):
    events = read(DIALECTS[name], tmp_path)
    assert events.t.tolist() == T.tolist()
    assert (events.x.tolist(), events.y.tolist(), events.p.tolist()) == tuple(
        [row[k] for row in ROWS] for k in (1, 2, 3)
    )


def test_seconds_without_a_unit_are_refused_or_read_as_told(tmp_path):
    data = lines(lambda i, r: f"{r[0] / 1e6:.6f},{r[1]},{r[2]},{r[3]}")
    with pytest.raises(BadRecording, match="not exact integers"):
        read(data, tmp_path)
    assert read(data, tmp_path, time_unit="s").t.tolist() == T.tolist()


def test_without_a_header_the_refusal_says_so(tmp_path):
    with pytest.raises(BadRecording, match="first line must name the columns"):
        read(lines(plain, ""), tmp_path)


def test_a_column_that_stands_twice_is_not_guessed(tmp_path):
    with pytest.raises(BadRecording):
        read(lines(lambda i, r: f"{r[0]},{plain(i, r)}", "t,t,x,y,p\n"), tmp_path)
