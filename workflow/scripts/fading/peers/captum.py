"""captum: TracInCP and the Arnoldi influence function."""

import warnings

import torch
from captum.influence import TracInCP
from captum.influence._core.arnoldi_influence_function import ArnoldiInfluenceFunction
from torch import nn

from fading.derivatives.curvature import Curvature
from fading.derivatives.lanczos import lanczos
from fading.influence import abif, gradient_dot
from fading.peers import Peer
from fading.peers.comparisons import Comparison, dataset, loader, module_at, problem

PEER = Peer(
    compares={
        "gradient-dot": ("resnet", "bert"),
        "gradient-dot-batched": ("resnet", "bert"),
        "abif": ("resnet", "bert"),
    },
)


def comparisons():
    return {
        "gradient-dot": Comparison(
            "captum",
            "gradient-dot",
            lambda task: _tracin(task, vectorized=False, batch_size=1),
            _products,
            "TracInCP at one checkpoint, an example at a time.",
        ),
        "gradient-dot-batched": Comparison(
            "captum",
            "gradient-dot, batched",
            lambda task: _tracin(task, vectorized=True, batch_size=64),
            _products,
            "TracInCP with sample_wise_grads_per_batch: silently leaves out all norm layers.",
        ),
        "abif": Comparison(
            "captum",
            "abif",
            _arnoldi,
            _lanczos,
            "Same start, tolerances set as tight as ours; drops negative eigenvalues, which we keep.",
        ),
    }


def _tracin(task, vectorized, batch_size):
    case = task.case
    tracin = TracInCP(
        module_at(case, task.theta),
        dataset(case.train),
        checkpoints=["the module is there already"],
        checkpoints_load_func=lambda module, path: 1.0,  # the learning rate
        loss_fn=nn.CrossEntropyLoss(reduction="sum" if vectorized else "none"),
        batch_size=batch_size,
        sample_wise_grads_per_batch=vectorized,
    )
    with warnings.catch_warnings(action="ignore"):
        return -tracin.influence(loader(case.tested, batch_size)).detach().T


def _products(task):
    return gradient_dot.scores(problem(task)).values


def _arnoldi(task):
    """captum's matrix is the sum over its Hessian's examples; its Krylov space has a dimension less than asked for."""
    case, n = task.case, len(task.hessian)
    with warnings.catch_warnings(action="ignore"), torch.random.fork_rng(devices=[]):  # it seeds the global generator
        arnoldi = ArnoldiInfluenceFunction(
            module_at(case, task.theta),
            dataset(case.train),
            "the module is there already",
            checkpoints_load_func=lambda module, path: 1.0,
            loss_fn=nn.CrossEntropyLoss(reduction="none"),
            batch_size=1,
            hessian_dataset=loader(case.train[task.hessian], 64),
            sample_wise_grads_per_batch=False,
            projection_dim=task.keep,
            seed=0,
            arnoldi_dim=task.krylov + 1,
            arnoldi_tol=1e-6,
            hessian_reg=0.0,
            hessian_inverse_tol=1e-8,
        )
        scores = arnoldi.influence(loader(case.tested, 1)).detach().T
    return -scores * n / len(case.train)


def _lanczos(task):
    case, theta = task.case, task.theta
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        start = torch.cat([torch.randn(shape, dtype=case.dtype).flatten() for shape in case.shapes.values()])
    ritz = lanczos(Curvature(case, theta, task.hessian), start, task.krylov).largest(task.keep)
    return abif.scores(problem(task, ritz), damping=0.0).values
