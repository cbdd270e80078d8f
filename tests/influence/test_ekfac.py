"""EK-FAC against a dense construction with explicit Kronecker products, from gradients taken one example at a time."""

import pytest
import torch
from conftest import Tiny, reference_gradients
from fading.derivatives.kinds import NORMS
from fading.derivatives.layers import join, layers
from fading.influence.ekfac import drawn_labels, fit, precondition, scores
from fading.influence.problem import Problem
from fading.training.optimizers import SGD
from torch import nn
from torch.func import functional_call


def positions(case, theta, examples, name):
    """What enters a layer that is a matrix, (n, T, i) with a one for the bias, and what comes back to it, (n, T, o).

    What is asked once for all examples is asked for each; uses of one layer are positions after each other.
    """
    module, seen, n = case.module.get_submodule(name), [], len(examples)

    def watch(_, inputs, output):
        output = output.expand(n, *output.shape[1:])
        output.retain_grad()
        seen.append((inputs[0].detach().expand(n, *inputs[0].shape[1:]), output))
        return output

    handle = module.register_forward_hook(watch)
    parameters = case.unflatten(theta.clone().requires_grad_())
    logits = functional_call(case.module, parameters, examples.inputs)
    nn.functional.cross_entropy(logits, examples.labels, reduction="sum").backward()
    handle.remove()
    uses = [_use(module, inputs, output.grad) for inputs, output in seen]
    return [torch.cat(parts, 1) for parts in zip(*uses, strict=True)]


def _use(module, inputs, backward):
    n = len(inputs)
    if isinstance(module, nn.Conv2d):
        inputs = nn.functional.unfold(inputs, module.kernel_size, 1, module.padding, module.stride).mT
        backward = backward.flatten(2).mT
    if isinstance(module, nn.Embedding):
        if module.padding_idx is not None:
            backward = backward * (inputs != module.padding_idx)[..., None]
        inputs = nn.functional.one_hot(inputs, module.num_embeddings).double()
    inputs, backward = inputs.reshape(n, -1, inputs.shape[-1]), backward.reshape(n, -1, backward.shape[-1])
    if getattr(module, "bias", None) is not None:
        inputs = torch.cat([inputs, torch.ones_like(inputs[..., :1])], -1)
    return inputs, backward


def dense_fisher(case, theta, examples):
    """The EK-FAC matrix (p, p) in the order of θ, built with torch.kron, block by block."""
    gradients = reference_gradients(case, theta, examples)
    offsets = dict(
        zip(case.shapes, torch.tensor([0, *(s.numel() for s in case.shapes.values())]).cumsum(0).tolist(), strict=False)
    )
    matrix = torch.zeros(len(theta), len(theta), dtype=theta.dtype)
    for name, module in layers(case).items():
        names = [key for key in (f"{name}.weight", f"{name}.bias") if key in case.shapes]
        rows = torch.cat([torch.arange(offsets[key], offsets[key] + case.shapes[key].numel()) for key in names])
        own = gradients[:, rows]
        if isinstance(module, NORMS):
            matrix[rows[:, None], rows] = own.T @ own / len(examples)
            continue
        inputs, backward = positions(case, theta, examples, name)
        a = torch.einsum("nti,ntj->ij", inputs, inputs)
        s = torch.einsum("nto,ntp->op", backward, backward)
        basis = torch.kron(torch.linalg.eigh(s).eigenvectors, torch.linalg.eigh(a).eigenvectors)  # rows by output
        own = torch.einsum("nto,nti->noi", backward, inputs)  # the same numbers, the bias as a last column
        flat = own.flatten(1)
        squares = (flat @ basis).square().mean(0)
        block = basis @ torch.diag(squares) @ basis.T
        o, i = own.shape[1:]
        index = torch.arange(o * i).view(o, i)
        with_bias = "bias" in names[-1]
        weight = index[:, :-1] if with_bias else index
        if isinstance(module, nn.Embedding):
            weight = weight.T
        order = torch.cat([weight.flatten(), index[:, -1]]) if with_bias else weight.flatten()
        torch.testing.assert_close(flat[:, order], gradients[:, rows])
        matrix[rows[:, None], rows] = block[order][:, order]
    return matrix


@pytest.mark.parametrize("kind", Tiny.kinds)
def test_the_fit_is_the_dense_construction(kind, monkeypatch):
    monkeypatch.setattr("fading.derivatives.gradients.CHUNK", 10)
    case, theta = Tiny.make(kind)
    fisher = dense_fisher(case, theta, case.train)
    damped = fisher + 1e-3 * torch.eye(len(theta), dtype=theta.dtype)
    expected = torch.linalg.solve(damped, reference_gradients(case, theta, case.tested).T).T
    parts = precondition(case, theta, fit(case, theta, case.train), 1e-3, case.tested)
    solved = join(case, {name: getattr(part, "matrix", part) for name, part in parts.items()})
    assert (solved - expected).abs().max() < 1e-6 * expected.abs().max()


@pytest.mark.parametrize("sample", [12, Tiny.n])
@pytest.mark.parametrize("kind", ["resnet-gelu", "bert", "sentences", "transformers-albert"])
def test_scores_are_those_of_the_first_examples_fisher_matrix_with_labels_from_the_model(kind, sample):
    case, theta = Tiny.make(kind)
    fisher = dense_fisher(case, theta, drawn_labels(case, theta, case.train[:sample], seed=0))
    damped = fisher + (1.0 + case.weight_decay) * torch.eye(len(theta), dtype=theta.dtype)
    train, test = (reference_gradients(case, theta, split) for split in (case.train, case.tested))
    expected = -train @ torch.linalg.solve(damped, test.T) / Tiny.n
    problem = Problem(case, {50: theta[None]}, 50, SGD(0.1), torch.arange(Tiny.n))
    actual = scores(problem, damping=1.0, curvature_examples=sample).values
    assert (actual - expected).abs().max() < 1e-6 * expected.abs().max()


def test_labels_are_drawn_from_the_models_own_distribution():
    case, theta = Tiny.make("logistic")
    drawn = torch.stack([drawn_labels(case, theta, case.train, seed).labels for seed in range(3000)])
    shares = nn.functional.one_hot(drawn, 3).double().mean(0)
    expected = case.logits(theta, case.train.inputs).softmax(1)
    assert (shares - expected).abs().max() < 0.05
