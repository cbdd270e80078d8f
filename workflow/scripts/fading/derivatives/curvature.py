"""Products with the curvature of the training loss at a point."""

import torch
from torch import Tensor

from fading.artefacts import budget
from fading.errors import FadingError
from fading.models.case import Case

CHUNK = 128
RETAINED = 1024
# Vectors in one pass: on a CPU 4 are 1.4 times as fast as one at a time and more bring nothing, but where all that they
# take lies in the cache.
TOGETHER, MOST, CACHE = {"cpu": 4, "cuda": 16}, 64, 2**22
SHARE = 0.15  # of the budget, for the graphs and for the vectors on their way
GRAPH, BACK = 3, 3  # times what the loss keeps of an example: the graph of its gradient, and a vector's way through it


class Curvature:
    """A symmetric operator v ↦ C v: curvature of the mean weighted loss over training examples `index` at θ.

    C is the Hessian, or with kind="gauss-newton" its semi-definite part Σ_i w_i J_iᵀ (∂²ℓ_i/∂f²) J_i / |index|,
    J_i the Jacobian of the logits f; either way plus weight decay times the identity. Vectors are rows: (k, p) in and
    out. The examples go in chunks, which change the result by rounding only, of CHUNK or what fits the budget. Up to
    RETAINED examples their graphs are kept where that fits, so that a further product costs about two gradients instead
    of three and a half; beyond, a chunk bounds memory.
    """

    def __init__(self, case: Case, theta: Tensor, index: Tensor, weights: Tensor | None = None, kind: str = "hessian"):
        if kind not in GRAPHS:
            raise FadingError(f"There is no curvature {kind}; there are {', '.join(GRAPHS)}.")
        self.case, self.kind = case, kind
        self.theta = theta.detach().requires_grad_()
        weights = torch.ones(len(case.train), dtype=case.dtype) if weights is None else weights
        each = case.bytes_per_example
        size = budget.fitting(GRAPH * each, CHUNK, share=SHARE)
        vector = BACK * (each * min(size, len(index)) + theta.nbytes)
        cached = min(MOST, CACHE // vector)
        self.together = budget.fitting(vector, max(TOGETHER[theta.device.type], cached), share=SHARE)
        self.chunks = [(chunk, weights[chunk] / len(index)) for chunk in index.split(size)]
        keeps = len(index) <= min(RETAINED, budget.fitting(GRAPH * each, RETAINED, share=SHARE))
        self.retained = list(map(self._graph, self.chunks)) if keeps else None

    def __call__(self, vectors: Tensor) -> Tensor:
        total = self.case.weight_decay * vectors
        for graph in self.retained or map(self._graph, self.chunks):
            total += torch.cat([graph.products(self.theta, few) for few in vectors.split(self.together)])
        return total

    def gradient(self) -> Tensor:
        """The gradient (p,) of the same loss."""
        gradients = [graph.gradient(self.theta) for graph in self.retained or map(self._graph, self.chunks)]
        return sum(gradients) + self.case.weight_decay * self.theta.detach()

    def matrix(self, progress=iter) -> Tensor:
        """C itself (p, p), symmetrised."""
        rows = progress(torch.eye(len(self.theta), dtype=self.theta.dtype).split(128))
        matrix = torch.cat([self(vectors) for vectors in rows])
        return (matrix + matrix.T) / 2

    def _graph(self, chunk):
        index, weights = chunk
        examples = self.case.train[index]
        return GRAPHS[self.kind](self.case, self.theta, examples, weights)


class _Hessian:
    def __init__(self, case, theta, examples, weights):
        loss = weights @ case.losses(theta, examples)
        (self.slope,) = torch.autograd.grad(loss, theta, create_graph=True)

    def gradient(self, theta):
        return self.slope.detach()

    def products(self, theta, vectors):
        return _pulled(self.slope, theta, vectors)


class _GaussNewton:
    def __init__(self, case, theta, examples, weights):
        self.logits = case.logits(theta, examples.inputs)
        self.cotangent = torch.zeros_like(self.logits, requires_grad=True)
        (self.pulled,) = torch.autograd.grad(self.logits, theta, self.cotangent, create_graph=True)
        self.outputs = self.logits.detach().requires_grad_()
        loss = weights @ case.output_losses(self.outputs, examples.labels)
        (self.slope,) = torch.autograd.grad(loss, self.outputs, create_graph=True)

    def gradient(self, theta):
        return torch.autograd.grad(self.logits, theta, self.slope.detach(), retain_graph=True)[0]

    def products(self, theta, vectors):
        pushed = _pulled(self.pulled, self.cotangent, vectors)
        return _pulled(self.logits, theta, _pulled(self.slope, self.outputs, pushed))


def _pulled(outputs, inputs, cotangents):
    """Each of k cotangents (k, …) of the outputs, back to the inputs."""
    if len(cotangents) == 1:
        return torch.autograd.grad(outputs, inputs, cotangents[0], retain_graph=True)[0][None]
    return torch.autograd.grad(outputs, inputs, cotangents, retain_graph=True, is_grads_batched=True)[0]


GRAPHS = {"hessian": _Hessian, "gauss-newton": _GaussNewton}
