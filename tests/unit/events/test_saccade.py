import numpy as np

from spikinghash.events.saccade import saccade_path, show_image


def test_path_is_a_closed_triangle_of_three_saccades():
    path, times = saccade_path(10, 6.0)
    assert path.shape == (31, 2)
    assert times[[0, 10, 20, 30]].tolist() == [0, 100_000, 200_000, 300_000]
    np.testing.assert_allclose(path[[0, 10, 20, 30]], [[-3, -3], [0, 3], [3, -3], [-3, -3]])


def test_image_moves_with_the_path():
    image = np.zeros((8, 8))
    image[3:5, 3:5] = 1
    clip = show_image(image, np.array([[0.0, 0.0], [2.0, -1.0]]), sensor=(34, 30), scale=3.0, dark=0.2)
    assert clip.shape == (2, 30, 34)
    np.testing.assert_allclose(clip[1, 4:24, 8:28], clip[0, 5:25, 6:26])


def test_luminance_stays_between_dark_and_one():
    image = np.ones((8, 8))
    clip = show_image(image, np.array([[0.0, 0.0]]), sensor=(34, 34), scale=3.0, dark=0.2)[0]
    assert clip.min() == 0.2
    np.testing.assert_allclose(clip[17, 17], 1.0)
    assert clip[0, 0] == 0.2
    np.testing.assert_allclose(clip, clip[::-1, ::-1])
