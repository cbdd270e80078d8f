"""Score training examples' influence on every measured test example, by some estimators at one checkpoint."""

import torch
from fading.cases import open_case
from fading.counterfactuals import weighted_otherwise
from fading.curvature import Ritz
from fading.influence import load
from fading.job import Job
from fading.optimizers import optimizer
from fading.problem import Problem
from fading.training import batches, kept_steps, unpack

with Job(snakemake) as job:
    settings, step = job.settings, int(job.wildcards["step"])
    case = open_case(settings, job.read("examples"))
    arrays, order, spectrum = (
        job.read("checkpoints"),
        job.read("order", optional=True),
        job.read("spectrum", optional=True),
    )
    examples = torch.arange(len(case.train))
    if "left_out" in settings:
        first_batches = [batches(fork)[0] for fork in job.read("forks", optional=True) or []]
        examples = weighted_otherwise(
            order, len(case.train), settings["left_out"], first_batches, settings["up_weighted"]
        )
    problem = Problem(
        case,
        checkpoints={kept: unpack(case, arrays, kept) for kept in kept_steps(arrays) if kept <= step},
        step=step,
        optimizer=optimizer(settings),
        settings={**settings, "seed": job.seed},
        examples=examples,
        batches=order and batches(order),
        spectrum=spectrum and Ritz.from_arrays(spectrum),
        progress=job.progress,
    )
    arrays = {}
    for name in job.wildcards["estimators"].split("+"):
        scores = load(name)(problem)
        arrays |= {f"{name}/scores": scores.values.numpy(), f"{name}/examples": problem.examples.numpy()}
        for measure, tensor in scores.health.items():
            print(f"{name}: {measure} median {tensor.double().median():.3g}, largest {tensor.double().max():.3g}")
            arrays[f"{name}/health.{measure}"] = tensor.numpy()
    job.write("scores", arrays)
