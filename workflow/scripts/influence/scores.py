"""Score training examples' influence on every measured test example, by one estimator at one checkpoint."""

import torch
from fading.artefacts.job import Job
from fading.derivatives.lanczos import Ritz
from fading.influence import ESTIMATORS
from fading.influence.problem import Problem
from fading.models.case import open_case
from fading.training.optimizers import make_optimizer
from fading.training.retraining import weighted_otherwise
from fading.training.segment import batches, unpack_all

with Job(snakemake) as job:
    settings, step = job.settings, job.settings["step"]
    case = open_case(settings, job.read("examples"))
    order, spectrum = job.read("order", optional=True), job.read("spectrum", optional=True)
    checkpoints = unpack_all(case, job.read("checkpoints"))
    examples = torch.arange(len(case.train))
    if "left_out" in settings:
        forks = [batches(fork)[0] for fork in job.read("forks", optional=True) or []]
        examples = weighted_otherwise(order, len(case.train), settings["left_out"], forks, settings["up_weighted"])
    problem = Problem(
        case,
        checkpoints={kept: state for kept, state in checkpoints.items() if kept <= step},
        step=step,
        optimizer=make_optimizer(settings),
        examples=examples,
        seed=settings["seed"],
        batches=order and batches(order),
        spectrum=spectrum and Ritz.from_arrays(spectrum),
        progress=job.progress,
    )
    scores = ESTIMATORS.load(job.wildcards["estimator"]).scores(problem, **settings["options"])
    for measure, tensor in scores.health.items():
        print(f"{measure}: median {tensor.double().median():.3g}, largest {tensor.double().max():.3g}")
    health = {f"health.{measure}": tensor.numpy() for measure, tensor in scores.health.items()}
    job.write("scores", {"scores": scores.values.numpy(), "examples": problem.examples.numpy(), **health})
