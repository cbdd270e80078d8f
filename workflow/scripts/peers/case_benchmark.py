"""Measure what a case's computations cost."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.models.case import open_case
from fading.peers.benchmark import computations, measured
from fading.training.optimizers import make_optimizer
from fading.training.segment import unpack

REPEATS = 5

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    state = unpack(case, job.read("checkpoints"), settings["step"])
    everything = computations(case, state, make_optimizer(settings), settings["batch_size"])
    frame = measured(job.progress(everything.items()), case.dtype, REPEATS)
    job.write("rows", located(frame, case=job.wildcards["case"]))
