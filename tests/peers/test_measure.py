"""Measurements of known quantities, by a clock that the test sets: no test may depend on how fast the machine is."""

import mmap
import os
from itertools import count

import pytest
import torch
from fading.errors import FadingError
from fading.peers.measure import in_child, matrix_product_rate, median_seconds, operations, peak_mebibytes, side_by_side


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds, result=0.0):
        self.now += seconds
        return torch.tensor([result])


@pytest.fixture
def set_clock(monkeypatch):
    def put(clock):
        monkeypatch.setattr("fading.peers.measure.perf_counter", clock)
        return clock

    return put


def test_a_matrix_product_has_known_operations():
    a, b = torch.ones(30, 40), torch.ones(40, 50)
    assert operations(lambda: a @ b) == pytest.approx(2 * 30 * 40 * 50 / 1e9)


def test_the_rate_of_matrix_products_is_their_operations_by_time(set_clock):
    assert matrix_product_rate(torch.float32, size=256) > 0
    set_clock(count(0, 0.5).__next__)  # half a second between two readings
    assert matrix_product_rate(torch.float32, size=256) == pytest.approx(2 * 256**3 / 1e9 / 0.5)


def test_the_median_leaves_out_the_first_call(set_clock):
    clock, durations = set_clock(Clock()), iter([100, 7, 1, 2])
    assert median_seconds(lambda: clock.wait(next(durations)), 3) == 2
    assert next(durations, None) is None


def fresh_pages(mebibytes):
    """So much memory, written to, straight from the kernel: torch's own may be what the process freed before."""
    pages = mmap.mmap(-1, mebibytes * 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(pages, dtype=torch.uint8).fill_(1)


def test_peak_memory_is_the_childs_own():
    """By differences: what the child pages in of the libraries, it pages in for any size."""
    small, large = (peak_mebibytes(lambda size=size: fresh_pages(size)) for size in (100, 400))
    assert large - small == pytest.approx(300, abs=30)
    held = fresh_pages(300)  # here
    assert peak_mebibytes(lambda: fresh_pages(100)) - small == pytest.approx(0, abs=30)
    assert len(held) == 300 * 2**20


def test_results_come_back_and_failures_are_told(capfd):
    run = in_child(lambda: torch.arange(3) * os.getpid())
    assert run.result[2] == 2 * run.result[1] != 2 * os.getpid()
    with pytest.raises(FadingError, match="failed in its own process"):
        in_child(lambda: torch.ones(2) @ torch.ones(3))
    assert "RuntimeError" in capfd.readouterr().err


def test_side_by_side_takes_turns(set_clock):
    clock = set_clock(Clock())
    runs, rounds = side_by_side([lambda: clock.wait(2, result=0), lambda: clock.wait(3, result=1)], repeats=3)
    assert [run.result.item() for run in runs] == [0, 1]
    assert [run.seconds for run in runs] == [2, 3]
    assert rounds == 3


@pytest.mark.parametrize(("tick", "expected"), [(19, 4), (25, 3), (61, 1)])  # a reading at the start, one a round
def test_side_by_side_ends_with_patience_after_one_round_at_least(set_clock, tick, expected):
    set_clock(count(0, tick).__next__)
    assert side_by_side([lambda: torch.zeros(1)], repeats=9)[1] == expected
