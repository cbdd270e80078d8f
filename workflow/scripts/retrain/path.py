"""The extreme curvature of the batches that the unchanged continuation of training steps on."""

from fading.artefacts.job import Job
from fading.derivatives.path import extremes_along
from fading.models.case import open_case
from fading.training.optimizers import make_optimizer
from fading.training.segment import Segment, batches, unpack

with Job(snakemake) as job:
    settings, fork = job.settings, job.settings["from"]
    case = open_case(settings, job.read("examples"))
    state = unpack(case, job.read("checkpoints"), fork)
    segment = Segment(case, state, batches(job.read("order")), make_optimizer(settings), fork)
    job.write("path", extremes_along(segment, progress=job.progress))
