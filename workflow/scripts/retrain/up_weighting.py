"""Continue training with single examples up-weighted, and with nothing but noise changed; what theory says of it."""

from fading.artefacts.job import Job
from fading.derivatives.lanczos import Ritz
from fading.experiments.theory import beside_theory
from fading.models.case import open_case
from fading.training.candidates import within_reach
from fading.training.counterfactuals import share, up_weighted
from fading.training.optimizers import make_optimizer
from fading.training.replicas import together
from fading.training.retraining import described
from fading.training.segment import Segment, batches, unpack

with Job(snakemake) as job:
    settings, steps = job.settings, job.settings["steps"]
    case = open_case(settings, job.read("examples"))
    state, fork = unpack(case, job.read("checkpoints"), settings["from"]), settings["from"]
    segment = Segment(case, state, batches(job.read("order")), make_optimizer(settings), fork)
    everything = up_weighted(
        within_reach(case, state[0], segment.batches[0]), settings["examples"], settings["epsilon"]
    )
    counterfactuals = share(everything, int(job.wildcards["chunk"]), settings["chunk"])
    ritz, at_once = Ritz.from_arrays(job.read("spectrum")), together(segment, len(steps))
    arrays = beside_theory(segment, counterfactuals, ritz, steps, at_once, job.progress)
    job.write("changes", {**arrays, **described(counterfactuals)}, together=at_once)
