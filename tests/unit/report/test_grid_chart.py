"""The figure of code lengths, time steps and thresholds."""

from spikinghash.report.grid_chart import GridPoint, grid_chart, grid_points


def result(bits, steps, v_th, there, back):
    rows = [("image-text", "single", there), ("text-image", "single", back), ("image-image", "single", 0.9)]
    rows.append(("image-text", "paired", 0.9))
    searched = [{"direction": d, "seen": s, "map": x, "chance": {"map": 0.2}} for d, s, x in rows]
    return {"bits": bits, "options": {"steps": steps, "v_th": v_th}, "searched": {"database": searched}}


def test_points_are_means_of_both_directions_and_of_seeds():
    found = grid_points([result(16, 2, 1.0, 0.3, 0.5), result(16, 2, 1.0, 0.5, 0.7), result(8, 4, 0.5, 0.2, 0.2)])
    assert found == [GridPoint(8, 4, 0.5, 0.2, 0.2), GridPoint(16, 2, 1.0, 0.5, 0.2)]


def test_the_figure_is_the_same_bytes_for_the_same_points():
    points = [GridPoint(bits, 2, v_th, bits / 100, 0.2) for bits in (8, 16) for v_th in (0.5, 1.0)]
    drawn = grid_chart(points, "a grid")
    assert drawn == grid_chart(points, "a grid") != grid_chart(points[:2], "a grid")
    assert drawn.count(b'id="line2d_') > 4
