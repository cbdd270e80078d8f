"""dattri: TracIn, DataInf, TRAK, and the influence function with the explicit Hessian where it inverts one matrix."""

from dataclasses import replace
from unittest.mock import patch

import torch
from dattri.algorithm.influence_function import IFAttributorDataInf, IFAttributorExplicit
from dattri.algorithm.tracin import TracInAttributor
from dattri.algorithm.trak import TRAKAttributor
from dattri.task import AttributionTask
from torch.func import functional_call
from torch.nn import functional as F

from fading.derivatives.layers import join, split
from fading.influence import datainf, exact, gradient_dot, trak
from fading.peers import Peer
from fading.peers.comparisons import Comparison, loader, module_at, problem, quiet

DIRECTIONS = 32  # fewer than examples, so that their Gram matrix has an inverse
TESTS = 16  # at a time: it makes as many vectors for each test gradient as there are

PEER = Peer(
    compares={
        "gradient-dot": ("resnet",),
        "exact": ("logistic",),
        "datainf": ("resnet",),
        "trak": ("resnet",),
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
        "datainf": Comparison(
            "dattri",
            "datainf",
            _datainf,
            _mean_of_inverses,
            "The same damping for all layers: dattri knows no other, where the paper and ours scale it by layer. The "
            "training examples are given as one batch: for each, it would transform all test gradients anew.",
        ),
        "trak": Comparison(
            "dattri",
            "trak",
            _trak,
            lambda task: trak.scores(problem(task), DIRECTIONS).values,
            f"Given our {DIRECTIONS} random directions and ridge: with its own directions and none it would be another "
            "random number; its answer, the output's, is turned into the loss's.",
        ),
    }


def _task(task, single, of_logits=F.cross_entropy):
    """A task whose loss takes one example without a batch axis, or a batch."""
    module = module_at(task.case, task.theta)

    def loss(parameters, data):
        *inputs, labels = [tensor[None] for tensor in data] if single else data
        return of_logits(functional_call(module, parameters, tuple(inputs)), labels)

    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    return AttributionTask(loss_func=loss, model=module, checkpoints=state)


def _tracin(task):
    case = task.case
    kwargs = {"weight_list": torch.ones(1), "normalized_grad": False, "projector_kwargs": None}
    attributor = TracInAttributor(_task(task, single=True), **kwargs)
    attributor.projector_kwargs = None
    with quiet():
        return -attributor.attribute(loader(case.train, 64), loader(case.tested, len(case.tested))).detach()


def _explicit(task):
    case = task.case
    attributor = IFAttributorExplicit(_task(task, single=False), regularization=case.weight_decay + task.damping)
    with quiet():
        attributor.cache(loader(case.train, len(case.train)))
        scores = attributor.attribute(loader(case.train, len(case.train)), loader(case.tested, len(case.tested)))
    return -scores.detach() / len(case.train)


def _inverse(task):
    everything = {"curvature_examples": len(task.case.train)}
    return exact.scores(problem(task), curvature="hessian", damping=task.damping, **everything).values


def _datainf(task):
    case = task.case
    attributor = IFAttributorDataInf(_task(task, single=False), regularization=case.weight_decay + task.damping)
    with quiet():
        attributor.cache(loader(case.train, len(case.train)))
        scores = attributor.attribute(loader(case.train, len(case.train)), loader(case.tested, TESTS))
    return -scores.detach() / len(case.train)


def _mean_of_inverses(task):
    """With no relative damping, a layer's is the weight decay."""
    case = replace(task.case, weight_decay=task.case.weight_decay + task.damping)
    asked = problem(replace(task, case=case))
    return datainf.scores(asked, curvature_examples=len(case.train), relative_damping=0.0).values


def _trak(task):
    case, asked = trak.outputs_of(task.case), problem(task)
    ours = trak.rademacher(asked.seed, 0, DIRECTIONS, case.dtype)
    sizes = {name: part.shape[1] for name, part in split(case, task.theta[None]).items()}
    directions = join(case, {name: torch.cat(list(ours(name, size))) for name, size in sizes.items()})
    features = trak.projected(case, task.theta, case.train, ours)
    ridge = trak.RIDGE * features.square().sum() / DIRECTIONS / len(task.theta)  # it divides gradients by √p

    def output(logits, labels):
        return case.output_losses(logits, labels)[0]

    attribution = _task(task, single=True, of_logits=output)

    def probability(parameters, data):
        return torch.sigmoid(attribution.original_loss_func(parameters, data))

    def projector(*_, **__):
        return lambda gradients, ensemble_id: gradients @ directions.T

    attributor = TRAKAttributor(attribution, probability, regularization=ridge.item())
    with quiet(), patch("dattri.algorithm.trak.random_project", projector):
        attributor.cache(loader(case.train, 64))
        scores = attributor.attribute(loader(case.tested, len(case.tested))).detach()
    shortfall = torch.sigmoid(-case.losses(task.theta, case.tested))
    return -scores * shortfall
