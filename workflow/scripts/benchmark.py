"""Measure what a case's computations cost."""

from fading.benchmark import computations, measured
from fading.cases import open_case
from fading.job import Job
from fading.optimizers import optimizer
from fading.tables import located
from fading.training import unpack

REPEATS = 5

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    state = unpack(case, job.read("checkpoints"), settings["step"])
    everything = computations(case, state, optimizer(settings), settings["batch_size"])
    frame = measured(job.progress(everything.items()), case.dtype, REPEATS)
    job.write("rows", located(frame, case=job.wildcards["case"]))
