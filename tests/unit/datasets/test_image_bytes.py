"""Bytes to pixels: what is read, how colours become RGB, and what is refused with which reason."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import encoded, huge_png, picture
from PIL import Image

from spikinghash.datasets.image_bytes import decode_image
from spikinghash.errors import BadRecording
from spikinghash.schema import REASONS


def saved(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def reason(data, **options):
    with pytest.raises(BadRecording) as caught:
        decode_image(data, **options)
    assert caught.value.reason in REASONS
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_a_png_is_read_exactly():
    pixels = picture(3)[:, :20]
    decoded = decode_image(encoded(pixels))
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, pixels)


def test_a_jpeg_is_read_as_rgb():
    pixels = np.zeros((3, 16, 16), np.uint8)
    pixels[0] = 200
    assert np.abs(decode_image(encoded(pixels, "JPEG", quality=95)).astype(int) - pixels).max() < 12


def test_grey_black_and_white_and_palettes_become_rgb():
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    for kind in ("PNG", "JPEG"):
        decoded = decode_image(saved(grey, kind))
        assert (decoded == decoded[0]).all()
    assert np.array_equal(decode_image(saved(grey))[0], np.asarray(grey))
    assert set(decode_image(saved(grey.convert("1"))).ravel().tolist()) <= {0, 255}
    flat = Image.new("RGB", (4, 4), (10, 200, 30)).quantize(4)
    assert decode_image(saved(flat))[:, 0, 0].tolist() == [10, 200, 30]


def test_transparency_is_laid_over_white():
    for mode, colour, expected in (
        ("RGBA", (255, 0, 0, 0), [255, 255, 255]),
        ("RGBA", (255, 0, 0, 255), [255, 0, 0]),
        ("LA", (0, 0), [255, 255, 255]),
    ):
        assert decode_image(saved(Image.new(mode, (3, 2), colour)))[:, 1, 1].tolist() == expected
    see_through = saved(Image.new("RGB", (2, 2), (1, 2, 3)), transparency=(1, 2, 3))
    assert decode_image(see_through)[:, 0, 0].tolist() == [255, 255, 255]


def test_resizing_covers_and_crops_the_middle():
    pixels = np.zeros((3, 10, 30), np.uint8)
    pixels[:, :, 10:20] = 255
    assert (decode_image(encoded(pixels), (10, 10)) == 255).all()
    assert decode_image(encoded(pixels), (6, 4)).shape == (3, 4, 6)
    assert np.array_equal(decode_image(encoded(pixels), (30, 10)), pixels)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_cut_file_is_refused(kind, share):
    data = encoded(picture(1, 64), kind)
    assert reason(data[: int(len(data) * share)]) in ("truncated", "chunk")


def test_a_cut_jpeg_says_truncated():
    data = encoded(picture(1, 64), "JPEG")
    assert reason(data[: len(data) // 2]) == "truncated"


def test_a_flipped_bit_in_a_png_is_seen_by_its_checksum():
    data = bytearray(encoded(picture(2)))
    data[len(data) // 2] ^= 1
    assert reason(bytes(data)) == "chunk"


def test_a_header_of_billions_of_pixels_costs_nothing():
    assert reason(huge_png()) == "expansion"
    assert reason(encoded(picture(0, 40)), max_pixels=1599) == "expansion"
    assert decode_image(encoded(picture(0, 40)), max_pixels=1600).shape == (3, 40, 40)


def test_what_is_no_picture_of_ours():
    assert reason(b"") == "empty"
    assert reason(b"not a picture") == "unknown-format"
    assert reason(saved(Image.new("RGB", (3, 3)), "GIF")) == "unknown-format"
    assert reason(saved(Image.new("RGB", (3, 3)), "TIFF")) == "unknown-format"
    assert reason(saved(Image.new("CMYK", (3, 3)), "JPEG")) == "dtype"
    assert reason(saved(Image.fromarray(np.full((3, 3), 40_000, np.uint16)))) == "dtype"
    first, second = (Image.fromarray(picture(i).transpose(1, 2, 0).copy()) for i in (0, 1))
    assert reason(saved(first, save_all=True, append_images=[second])) == "count"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_decoded_or_refused_and_nothing_else(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG"]))
    content = bytearray(encoded(picture(5, 16), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decode_image(bytes(content), max_pixels=10_000).dtype == np.uint8
    except BadRecording as error:
        assert error.reason in REASONS
