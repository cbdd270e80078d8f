"""dattri: TracIn, and the influence function with the explicit Hessian where it inverts one matrix."""

import contextlib
import os
import warnings

import torch
from dattri.algorithm.influence_function import IFAttributorExplicit
from dattri.algorithm.tracin import TracInAttributor
from dattri.task import AttributionTask
from torch.func import functional_call
from torch.nn import functional as F

from fading.influence import exact, gradient_dot
from fading.peers import Comparison, loader, module_at, problem


def comparisons():
    return {
        "gradient-dot": Comparison(
            "dattri",
            "gradient-dot",
            _tracin,
            lambda setting: gradient_dot.scores(problem(setting)).values,
            "TracIn; its default, projector_kwargs=None, means a random projection to 512 dimensions: switched off.",
        ),
        "exact": Comparison(
            "dattri",
            "exact",
            _explicit,
            lambda setting: exact.scores(problem(setting, damping=setting.damping)).values,
            "Given one batch: of several, it would sum the inverses of their Hessians instead of inverting the sum.",
        ),
    }


def _task(setting, single):
    """A task whose loss takes one example without a batch axis, or a batch."""
    module = module_at(setting.case, setting.theta)

    def loss(parameters, data):
        *inputs, labels = [one[None] for one in data] if single else data
        return F.cross_entropy(functional_call(module, parameters, tuple(inputs)), labels)

    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    return AttributionTask(loss_func=loss, model=module, checkpoints=state)


def _tracin(setting):
    case = setting.case
    kwargs = {"weight_list": torch.ones(1), "normalized_grad": False, "projector_kwargs": None}
    attributor = TracInAttributor(_task(setting, single=True), **kwargs)
    attributor.projector_kwargs = None
    with _quiet():
        return -attributor.attribute(loader(case.train, 64), loader(case.tested, len(case.tested))).detach()


def _explicit(setting):
    case = setting.case
    attributor = IFAttributorExplicit(_task(setting, single=False), regularization=case.weight_decay + setting.damping)
    with _quiet():
        attributor.cache(loader(case.train, len(case.train)))
        scores = attributor.attribute(loader(case.train, len(case.train)), loader(case.tested, len(case.tested)))
    return -scores.detach() / len(case.train)


@contextlib.contextmanager
def _quiet():
    with (
        warnings.catch_warnings(action="ignore"),
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        yield
