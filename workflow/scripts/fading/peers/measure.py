"""How long does it take, how much memory, how many operations? For benchmarks; no study depends on it."""

import os
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from fading.errors import FadingError

PATIENCE = 60


@dataclass(frozen=True)
class Run:
    """What a function returned, its wall seconds, and by how many MiB the process grew at its peak."""

    result: Tensor
    seconds: float
    mebibytes: float


def in_child(function: Callable[[], Tensor]) -> Run:
    """Run the function in a forked process, so that its peak memory is its own. Raises FadingError if it fails.

    And on a GPU, which no forked process can use.
    """
    if torch.cuda.is_initialized():
        raise FadingError("device: found cuda; accepted is cpu where a forked process is measured, as of peers.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.safetensors"
        child = os.fork()
        if child == 0:
            try:
                before, start = _mebibytes("VmRSS"), perf_counter()
                result = function()
                figures = torch.tensor([perf_counter() - start, _mebibytes("VmHWM") - before], dtype=torch.float64)
                save_file({"result": result.detach().contiguous(), "figures": figures}, file)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise FadingError("A measured function failed in its own process; its error is above.")
        tensors = load_file(file)
    seconds, mebibytes = tensors["figures"].tolist()
    return Run(tensors["result"], seconds, mebibytes)


def peak_mebibytes(function: Callable[[], object]) -> float:
    """By how many MiB a process grows that calls the function; on a GPU, its memory."""
    if torch.cuda.is_initialized():  # which no forked process can use
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        return (torch.cuda.max_memory_allocated() - before) / 2**20

    def call():
        function()
        return torch.zeros(1)

    return in_child(call).mebibytes


def side_by_side(functions: list[Callable[[], Tensor]], repeats: int) -> tuple[list[Run], int]:
    """Run the functions in turn, up to `repeats` times and with no new round after PATIENCE seconds.

    Returns each one's result with its median seconds and memory, and the number of rounds.
    """
    rounds, start = [], perf_counter()
    while len(rounds) < repeats and (not rounds or perf_counter() - start < PATIENCE):
        rounds.append([in_child(function) for function in functions])
    medians = [
        Run(runs[0].result, median(run.seconds for run in runs), median(run.mebibytes for run in runs))
        for runs in zip(*rounds, strict=True)
    ]
    return medians, len(rounds)


def median_seconds(function: Callable[[], object], repeats: int) -> float:
    """The median wall time of `repeats` calls, after one that isn't counted."""
    times = []
    for _ in range(1 + repeats):
        start = perf_counter()
        function()
        if torch.cuda.is_initialized():  # its work goes on after a function has returned
            torch.cuda.synchronize()
        times.append(perf_counter() - start)
    return median(times[1:])


def operations(function: Callable[[], object]) -> float:
    """Floating point operations in matrix products and convolutions, in GFLOP (10⁹)."""
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops() / 1e9


def matrix_product_rate(dtype: torch.dtype, size: int = 1024) -> float:
    """GFLOP/s of this machine in a product of two square matrices, on the threads that torch uses."""
    drawn = (torch.randn(size, size, generator=torch.Generator().manual_seed(i), device="cpu") for i in (0, 1))
    a, b = (matrix.to(torch.get_default_device(), dtype) for matrix in drawn)
    return 2 * size**3 / 1e9 / median_seconds(lambda: a @ b, 9)


def _mebibytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024
