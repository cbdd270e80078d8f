"""Problems at a point, which tests of several estimators share."""

from dataclasses import replace

import torch
from fading.influence.problem import Problem
from fading.models.case import Case, Examples
from fading.training.optimizers import SGD
from torch import Tensor


def problem_of(case: Case, theta: Tensor, **parts) -> Problem:
    """At θ, as if reached by 50 steps that nobody recorded."""
    return Problem(case, {50: theta[None]}, 50, SGD(0.1), torch.arange(len(case.train)), **parts)


def single(case: Case, theta: Tensor) -> tuple[Case, Tensor]:
    """The same case and point in float32, for comparison once the double one isn't needed: they share the module."""

    def cast(examples):
        return Examples(tuple(x.float() if x.is_floating_point() else x for x in examples.inputs), examples.labels)

    rounded = replace(case, train=cast(case.train), test=cast(case.test), dtype=torch.float32)
    return replace(rounded, module=case.module.float()), theta.float()
