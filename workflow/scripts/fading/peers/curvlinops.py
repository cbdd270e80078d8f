"""curvlinops: products with the Hessian and the Gauss-Newton matrix."""

import warnings

from torch import nn

from fading.derivatives.curvature import Curvature
from fading.peers import Peer
from fading.peers.comparisons import Comparison, module_at, vectors

with warnings.catch_warnings(action="ignore"):
    from curvlinops import GGNLinearOperator, HessianLinearOperator

COUNT, BATCH = 8, 64
REMARK = (
    f"{COUNT} products. Norm layers replaced by elementary operations: with torch's own, the forward derivative of the "
    "backward pass that curvlinops takes raises for GroupNorm and is wrong for LayerNorm's weight."
)

PEER = Peer(
    compares={
        "hessian": ("resnet", "bert", "logistic"),
        "gauss-newton": ("resnet", "bert"),
    },
)


def comparisons():
    return {
        kind: Comparison(
            "curvlinops",
            f"{kind} products",
            lambda task, operator=operator: _theirs(task, operator),
            lambda task, kind=kind: Curvature(task.case, task.theta, task.hessian, kind=kind)(vectors(task, COUNT)),
            REMARK,
        )
        for kind, operator in (("hessian", HessianLinearOperator), ("gauss-newton", GGNLinearOperator))
    }


class OneInput(nn.Module):
    """A model of several inputs that takes them as one dictionary."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, inputs):
        return self.module(*inputs.values())


class ElementaryGroupNorm(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.weight, self.bias, self.groups, self.eps = norm.weight, norm.bias, norm.num_groups, norm.eps

    def forward(self, x):
        y = x.reshape(len(x), self.groups, -1)
        y = y - y.mean(2, keepdim=True)
        y = y / (y.square().mean(2, keepdim=True) + self.eps).sqrt()
        return y.view_as(x) * self.weight[:, None, None] + self.bias[:, None, None]


class ElementaryLayerNorm(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x):
        y = x - x.mean(-1, keepdim=True)
        return y / (y.square().mean(-1, keepdim=True) + self.eps).sqrt() * self.weight + self.bias


ELEMENTARY = {nn.GroupNorm: ElementaryGroupNorm, nn.LayerNorm: ElementaryLayerNorm}


def _theirs(task, operator):
    case = task.case
    module = module_at(case, task.theta)
    for name, child in list(module.named_modules()):
        if type(child) in ELEMENTARY:
            module.set_submodule(name, ELEMENTARY[type(child)](child))
    batches = [case.train[chunk] for chunk in task.hessian.split(BATCH)]
    data = [({str(i): tensor for i, tensor in enumerate(batch.inputs)}, batch.labels) for batch in batches]
    matrix = operator(
        OneInput(module),
        nn.CrossEntropyLoss(reduction="mean"),
        list(module.parameters()),
        data,
        num_data=len(task.hessian),
        batch_size_fn=lambda inputs: len(inputs["0"]),
        check_deterministic=False,
    )
    products = (matrix @ vectors(task, COUNT).T).detach().T
    return products + case.weight_decay * vectors(task, COUNT)
