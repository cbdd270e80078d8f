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
from fading.peers import Peer
from fading.peers.comparisons import Comparison, loader, module_at, problem

PEER = Peer(
    compares={
        "gradient-dot": ("resnet",),
        "exact": ("logistic",),
    },
)


def comparisons():
    return {
        "gradient-dot": Comparison(
            "dattri",
            "gradient-dot",
            _tracin,
            lambda task: gradient_dot.scores(problem(task)).values,
            "TracIn; its default, projector_kwargs=None, means a random projection to 512 dimensions: switched off.",
        ),
        "exact": Comparison(
            "dattri",
            "exact",
            _explicit,
            _inverse,
            "Given one batch: of several, it would sum the inverses of their Hessians instead of inverting the sum.",
        ),
    }


def _task(task, single):
    """A task whose loss takes one example without a batch axis, or a batch."""
    module = module_at(task.case, task.theta)

    def loss(parameters, data):
        *inputs, labels = [tensor[None] for tensor in data] if single else data
        return F.cross_entropy(functional_call(module, parameters, tuple(inputs)), labels)

    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    return AttributionTask(loss_func=loss, model=module, checkpoints=state)


def _tracin(task):
    case = task.case
    kwargs = {"weight_list": torch.ones(1), "normalized_grad": False, "projector_kwargs": None}
    attributor = TracInAttributor(_task(task, single=True), **kwargs)
    attributor.projector_kwargs = None
    with _quiet():
        return -attributor.attribute(loader(case.train, 64), loader(case.tested, len(case.tested))).detach()


def _explicit(task):
    case = task.case
    attributor = IFAttributorExplicit(_task(task, single=False), regularization=case.weight_decay + task.damping)
    with _quiet():
        attributor.cache(loader(case.train, len(case.train)))
        scores = attributor.attribute(loader(case.train, len(case.train)), loader(case.tested, len(case.tested)))
    return -scores.detach() / len(case.train)


def _inverse(task):
    everything = {"curvature_examples": len(task.case.train)}
    return exact.scores(problem(task), curvature="hessian", damping=task.damping, **everything).values


@contextlib.contextmanager
def _quiet():
    with (
        warnings.catch_warnings(action="ignore"),
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        yield
