"""What one file leaves in the child is not held against the next, and what the system does is no file's fault."""

import signal
import time

import pytest
from dense_evt3 import EVENTS_PER_FRAME, dense_evt3
from test_isolate import recording, source
from unlucky_worker import COMMAND

from spikinghash.errors import BadRecording
from spikinghash.events import isolate, isolated_child
from spikinghash.events.isolate import IsolatedDecoder, Limits
from spikinghash.events.source import Source
from spikinghash.schema import REASONS, TRANSIENT_REASONS


def test_files_after_a_large_one_are_read():
    """The memory of a file's events is gone before the next file's is measured out."""
    limits = Limits(memory_bytes=256 << 20)
    with IsolatedDecoder(limits) as decoder:
        for _ in range(2):
            data = dense_evt3(3)
            assert decoder.decode(source(data)).count == len(data) // 154_000 * EVENTS_PER_FRAME
            assert [decoder.decode(source(recording(n))).count for n in (100, 200, 300)] == [100, 200, 300]


def test_the_densest_valid_encoding_fits_the_allowance():
    data = dense_evt3(12)
    with IsolatedDecoder(Limits(memory_bytes=160 << 20)) as decoder:
        decoder.decode(source(dense_evt3(0.2)))  # compiles
        assert decoder.decode(source(data)).count == len(data) // 154_000 * EVENTS_PER_FRAME


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_a_good_file_is_read_although_the_system_took_the_decoder(tmp_path, number):
    data = b"lucky %d %s " % (number, str(tmp_path / "mark").encode()) + recording(77)
    with IsolatedDecoder(Limits(seconds=3.0), COMMAND) as decoder:
        assert decoder.decode(source(data)).count == 77
        assert (tmp_path / "mark").exists()


def test_a_decoder_killed_between_two_files_costs_none():
    with IsolatedDecoder() as decoder:
        for count in (50, 60):
            assert decoder.decode(source(recording(count))).count == count
            decoder.child.process.kill()


def test_what_was_computing_until_its_time_was_over_is_not_tried_again():
    with IsolatedDecoder(Limits(seconds=0.3, seconds_per_mb=0.0)) as decoder:
        decoder.child.start()
        data = dense_evt3(6)
        started = time.monotonic()
        with pytest.raises(BadRecording) as caught:
            decoder.decode(source(data))
        assert caught.value.reason == "timeout"
        assert time.monotonic() - started < 8


def test_more_than_a_share_of_the_machines_memory_is_refused_in_one_line(monkeypatch):
    for module in (isolate, isolated_child):
        monkeypatch.setattr(module, "reading_bytes", lambda: 40 << 20)
    with IsolatedDecoder() as decoder:
        assert decoder.decode(source(recording(1000))).count == 1000
        for data in (dense_evt3(1), bytes([1]) * (20 << 20)):
            with pytest.raises(BadRecording) as caught:
                decoder.decode(source(data))
            assert caught.value.reason == "memory"
            assert "\n" not in caught.value.message
        assert decoder.decode(source(recording(10))).count == 10


def test_what_expanded_far_is_measured_by_what_it_was():
    """50 MB out of 50 kB get the memory of 400 kB, not of 50 MB."""
    data = recording(100) * 100_000
    with IsolatedDecoder(Limits(memory_bytes=64 << 20)) as decoder:
        with pytest.raises(BadRecording) as caught:
            decoder.decode(Source(source(data).path, data, stored_bytes=50_000))
        assert caught.value.reason == "memory"


def test_transient_reasons_are_reasons():
    assert TRANSIENT_REASONS < REASONS
