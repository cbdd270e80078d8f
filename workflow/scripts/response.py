"""What theory says of a continuation with examples up-weighted: linear response, constant curvature, and the bound."""

import numpy as np
import torch
from fading.assumptions.divergence import gronwall_bound
from fading.cases import open_case
from fading.curvature import Ritz, sharpness
from fading.gradients import gradient_norms
from fading.job import Job
from fading.optimizers import SGD, optimizer
from fading.response import constant_curvature, linear_response, predicted_effects, relative_error, uses
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, changes, drawn = job.settings, job.read("changes"), batches(job.read("order"))
    case = open_case(settings, job.read("examples"))
    start, steps, rule = settings["from"], settings["steps"], optimizer(settings)
    state, deltas = unpack(case, job.read("checkpoints"), start), torch.from_numpy(changes["delta"])
    members, epsilon = (torch.from_numpy(changes[name][: len(deltas)]) for name in ("members", "epsilon"))
    examples, sizes, theta = members[:, 0], list(map(len, drawn)), state[0]
    used = uses(drawn, examples)
    ritz = Ritz.from_arrays(job.read("spectrum"))
    forecasts = constant_curvature(case, theta, ritz, rule, used, sizes, examples, steps)
    effects, errors, slopes, curvatures = [], [], [], []
    responses = linear_response(case, state, job.progress(drawn), rule, [(one,) for one in examples.tolist()], start)
    for step, (_, after, psi) in enumerate(responses, start=1):
        if step in steps:
            effects.append(epsilon[:, None] * predicted_effects(case, after, psi))
            errors.append(relative_error(deltas[:, steps.index(step)], epsilon, psi))
            slopes.append(gradient_norms(case, theta, case.train[examples]))
            curvatures.append(sharpness(case, theta, drawn[step - 1]))
        theta = after
    arrays = {name: (epsilon[:, None, None] * effect).numpy() for name, effect in forecasts.items()}
    arrays |= {"effect": np.stack(effects, axis=1), "error": np.stack(errors, axis=1)}
    if isinstance(rule, SGD):
        slope = torch.stack(slopes).amax(0).double().numpy()
        bound = gronwall_bound(max(curvatures), slope, epsilon.numpy(), rule.learning_rate, used.numpy(), sizes)
        arrays["bound"] = bound[:, np.array(steps) - 1]
    job.write("response", {**arrays, "sharpness": np.array(max(curvatures))})
