"""What rows of the code database hold."""

from spikinghash.codes.schema import path_text


def test_path_bytes_that_are_not_text_stay_distinct():
    assert path_text("plain.raw") == "plain.raw"
    assert path_text(b"\xff.raw".decode("utf-8", "surrogateescape")) == r"\xff.raw"
