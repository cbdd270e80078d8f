"""Measurements of known quantities."""

import os

import pytest
import torch
from fading.errors import FadingError
from fading.peers.measure import in_child, matrix_product_rate, median_seconds, operations, peak_mebibytes, side_by_side


def test_a_matrix_product_has_known_operations():
    a, b = torch.ones(30, 40), torch.ones(40, 50)
    assert operations(lambda: a @ b) == pytest.approx(2 * 30 * 40 * 50 / 1e9)
    assert matrix_product_rate(torch.float32, size=256) > 0.1


def test_peak_memory_is_the_childs_own():
    held = torch.ones(30 * 2**18)  # 30 MiB here
    assert peak_mebibytes(lambda: torch.ones(100 * 2**18).sum()) == pytest.approx(100, abs=10)
    assert peak_mebibytes(lambda: torch.ones(10 * 2**18).sum()) < 20
    assert held.sum() == 30 * 2**18


def test_results_come_back_and_failures_are_told(capfd):
    run = in_child(lambda: torch.arange(3) * os.getpid())
    assert run.result[2] == 2 * run.result[1] != 2 * os.getpid()
    with pytest.raises(FadingError, match="failed in its own process"):
        in_child(lambda: torch.ones(2) @ torch.ones(3))
    assert "RuntimeError" in capfd.readouterr().err


def test_side_by_side_takes_turns_as_long_as_patience_lasts(monkeypatch):
    (one, other), rounds = side_by_side([lambda: torch.zeros(1), lambda: torch.ones(1)], repeats=3)
    assert (one.result.item(), other.result.item(), rounds) == (0, 1, 3)
    monkeypatch.setattr("fading.peers.measure.PATIENCE", 0)
    assert side_by_side([lambda: torch.zeros(1)], repeats=3)[1] == 1, "once at least"
    assert median_seconds(lambda: None, 3) < 0.01
