"""Score training examples' influence on every measured test example, by one estimator at one checkpoint."""

import torch
from fading.artefacts.job import Job
from fading.derivatives.lanczos import Ritz
from fading.influence import ESTIMATORS
from fading.influence.problem import Problem
from fading.models.case import open_case
from fading.training.optimizers import make_optimizer
from fading.training.order import candidates
from fading.training.segment import batches, unpack, unpack_all

with Job(snakemake) as job:
    settings, step = job.settings, job.settings["step"]
    case = open_case(settings, job.read("examples"))
    order, spectrum = job.read("order", optional=True), job.read("spectrum", optional=True)
    checkpoints = unpack_all(case, job.read("checkpoints"))
    problem = Problem(
        case,
        checkpoints={kept: state for kept, state in checkpoints.items() if kept <= step},
        step=step,
        optimizer=make_optimizer(settings),
        examples=torch.as_tensor(candidates(len(case.train), settings)),
        seed=settings["seed"],
        batches=order and batches(order),
        spectrum=spectrum and Ritz.from_arrays(spectrum),
        others=tuple(unpack(case, kept, step)[0] for kept in job.read("others", optional=True) or []),
        progress=job.progress,
    )
    scores = ESTIMATORS.load(job.wildcards["estimator"]).scores(problem, **settings["options"])
    for measure, tensor in scores.health.items():
        print(f"{measure}: median {tensor.double().median():.3g}, largest {tensor.double().max():.3g}")
    beside = {f"health.{measure}": tensor for measure, tensor in scores.health.items()} | scores.beside
    arrays = {"scores": scores.values, "examples": problem.examples, **beside}
    job.write("scores", {name: tensor.numpy(force=True) for name, tensor in arrays.items()})
