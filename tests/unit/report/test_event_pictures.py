import io

import numpy as np
import pytest
from PIL import Image

from spikinghash.events.events import Events
from spikinghash.report.clip_gif import clip_gif, events_gif, events_png, merge_steps
from spikinghash.report.palette import GROUND_RGB, OFF_RGB, ON_RGB, palette
from spikinghash.report.picture import clip_png, colour_indices, contrast_limit, fit_side, to_rgb, upscale

OFF, ON = 0, 1


def hand_made():
    counts = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    counts[0, ON, 0, 0] = 4
    counts[0, OFF, 0, 1] = 4
    counts[0, :, 0, 2] = 4
    counts[0, ON, 1, 0] = 1
    return counts


def recording(count=240):
    columns = {"x": np.arange(count, dtype=np.uint16) % 8, "y": np.full(count, 3, dtype=np.uint16)}
    t, p = np.arange(count, dtype=np.int64) * 100 + 7, (np.arange(count) % 2).astype(np.uint8)
    events = Events(t=t, p=p, **columns, width=8, height=6, format="made")
    for column in (t, p, *columns.values()):
        column.flags.writeable = False
    return events


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_each_polarity_has_its_colour_and_nothing_is_the_ground(ground):
    rgb = to_rgb(hand_made(), ground=ground)
    assert tuple(rgb[0, 0]) == ON_RGB[ground]
    assert tuple(rgb[0, 1]) == OFF_RGB[ground]
    assert tuple(rgb[1, 1]) == tuple(rgb[1, 2]) == GROUND_RGB[ground]
    assert tuple(rgb[1, 0]) not in (ON_RGB[ground], GROUND_RGB[ground])


def test_both_polarities_are_dark_on_light_ground():
    assert to_rgb(hand_made())[0, 2].max() < 10


def test_a_single_event_beside_a_hot_pixel_is_not_the_ground():
    counts = np.zeros((2, 2, 4, 4), dtype=np.uint16)
    counts[0, ON, 0, 0], counts[1, OFF, 1, 1] = 60000, 1
    indices = colour_indices(counts)
    assert indices[1, 1, 1] > 0
    assert np.count_nonzero(indices) == 2


def test_contrast_is_the_clips_own_and_ignores_rare_hot_pixels():
    counts = np.ones((1, 2, 20, 20), dtype=np.uint8)
    counts[0, 0, 0, 0] = 200
    assert contrast_limit(counts) == 1
    assert contrast_limit(np.zeros((1, 2, 2, 2), dtype=np.uint8)) == 1


def test_an_empty_clip_is_all_ground():
    assert (to_rgb(np.zeros((3, 2, 4, 5), dtype=np.uint8)) == 255).all()


def test_upscaling_repeats_pixels():
    big = upscale(np.array([[1, 2]], dtype=np.uint8), 2)
    assert big.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


@pytest.mark.parametrize("shape", [(4, 2, 7, 10), (1, 2, 100, 3)])
def test_shrinking_and_merging_lose_no_event_and_leave_the_input_alone(shape):
    counts = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    before = counts.copy()
    small = fit_side(counts, 4)
    assert max(small.shape[2:]) <= 4
    assert small.sum() == counts.sum(dtype=np.int64)
    merged = merge_steps(counts, 3)
    assert len(merged) == min(3, shape[0])
    assert merged.sum() == counts.sum(dtype=np.int64)
    assert (counts == before).all()


@pytest.mark.parametrize("shape", [(2, 4, 4), (1, 3, 4, 4), (0, 2, 4, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="T, 2, H, W"):
        to_rgb(np.zeros(shape, dtype=np.uint8))


def test_png_has_whole_pixels_within_the_side():
    picture = Image.open(io.BytesIO(clip_png(hand_made(), side=10)))
    assert picture.size == (9, 6)
    assert picture.format == "PNG"


def moving(steps):
    counts = np.zeros((steps, 2, 6, 40), dtype=np.uint8)
    counts[np.arange(steps), ON, 2, np.arange(steps)] = 3
    return counts


@pytest.mark.parametrize(("steps", "frames"), [(1, 1), (4, 4), (16, 16), (40, 24)])
def test_a_gif_has_a_frame_per_step_up_to_the_limit_and_loops_forever(steps, frames):
    data, size = clip_gif(moving(steps), side=80)
    with Image.open(io.BytesIO(data)) as film:
        assert getattr(film, "n_frames", 1) == frames
        assert film.size == size == (80, 12)
        if frames > 1:
            assert film.info["loop"] == 0


def test_gif_frames_show_the_colours_of_their_step():
    data, _ = clip_gif(moving(4), side=40)
    with Image.open(io.BytesIO(data)) as film:
        for step in range(4):
            film.seek(step)
            rgb = np.asarray(film.convert("RGB"))
            assert tuple(rgb[2, step]) == ON_RGB["light"]
            assert (rgb != 255).any(axis=2).sum() == 1


def test_raw_events_become_a_smooth_gif_and_a_still():
    events = recording()
    with Image.open(io.BytesIO(events_gif(events))) as film:
        assert film.n_frames == 24
    with Image.open(io.BytesIO(events_png(events, side=80))) as still:
        assert still.size == (80, 60)


def test_pictures_are_deterministic():
    assert clip_gif(moving(5)) == clip_gif(moving(5))
    assert events_png(recording()) == events_png(recording())


def test_the_palette_fits_a_gif():
    for ground in ("light", "dark"):
        assert palette(ground).shape[0] <= 256
