"""Train a case from the start and keep its checkpoints and learning curve."""

from dataclasses import replace
from itertools import pairwise

import pandas as pd
from fading.artefacts.job import Job
from fading.models.case import initial_parameters, open_case
from fading.training.optimizers import make_optimizer
from fading.training.segment import Segment, batches, pack, train, unpack

with Job(snakemake) as job:
    settings, weights = job.settings, job.read("weights", optional=True)
    case, optimizer = open_case(settings, job.read("examples")), make_optimizer(settings)
    start = optimizer.start(initial_parameters(settings, case, weights))
    whole = Segment(case, start, batches(job.read("order")), optimizer)
    steps, state, packed, curves = settings["checkpoints"], start, pack(case, {0: start}), []

    def trained(first, last):
        stretch = replace(whole, state=state, batches=whole.batches[first:last], first_step=first)
        kept, curve = train(stretch, [last], job.progress)
        return {"checkpoints": pack(case, kept), "curve": pd.DataFrame(curve)}

    for first, last in pairwise(steps):
        piece = job.once(f"to-{last}", trained, first, last)
        state = unpack(case, piece["checkpoints"], last)
        packed, curves = packed | piece["checkpoints"], [*curves, piece["curve"]]
    job.write("checkpoints", packed)
    job.write("curve", pd.concat(curves, ignore_index=True))
