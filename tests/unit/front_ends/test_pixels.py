import numpy as np
import pytest
from image_files import encoded, picture

from spikinghash.errors import ConfigError
from spikinghash.front_ends.pixels import Pixels

FRONT_END = Pixels(side=32, cells=4, directions=8)


def parts(pixels):
    found = FRONT_END([encoded(pixels)])[0]
    return found[:48].reshape(3, 4, 4), found[48:].reshape(8, 4, 4)


def stripes(along):
    """A picture whose brightness changes along one axis: 0 down, 1 to the right."""
    wave = (127 + 120 * np.sin(np.arange(32) / 2)).astype(np.uint8)
    image = np.broadcast_to(wave[:, None] if along == 0 else wave[None], (32, 32))
    return np.broadcast_to(image, (3, 32, 32))


def test_length_is_one():
    found = FRONT_END([encoded(picture(i, 40)) for i in range(4)])
    assert found.shape == (4, 16 * 11)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)


def test_a_picture_of_one_colour_has_no_edges():
    colours, edges = parts(np.broadcast_to(np.array([[[255]], [[0]], [[0]]], np.uint8), (3, 32, 32)))
    assert (edges == 0).all()
    assert (colours[0] > 0).all()
    assert np.allclose(colours[1:], -colours[0])


def test_edges_have_the_direction_of_change():
    """Changes to the right are direction 0, changes downwards the middle one, whatever their sign."""
    for along, direction in ((1, 0), (0, 4)):
        edges = parts(stripes(along))[1].sum(axis=(1, 2))
        assert edges.argmax() == direction
        assert edges[direction] > 0.99 * edges.sum()
        assert np.allclose(parts(255 - stripes(along))[1], parts(stripes(along))[1], atol=1e-6)


def test_the_place_of_what_is_seen_matters():
    dot = np.zeros((3, 32, 32), np.uint8)
    dot[:, 2:6, 26:30] = 255
    colours, edges = parts(dot)
    assert (
        np.unravel_index(colours[0].argmax(), (4, 4)) == np.unravel_index(edges.sum(axis=0).argmax(), (4, 4)) == (0, 3)
    )


def test_sizes_that_make_no_equal_cells_are_refused():
    for wrong in ({"side": 30}, {"cells": 0}, {"directions": 1}, {"side": 1024}):
        with pytest.raises(ConfigError):
            Pixels(**wrong)
