"""Bergson: MAGIC (Ilyas and Engstrom 2025), the derivative of a whole training run by its weights.

Its Trainer differentiates whatever training step it is given: any module that returns its loss, by any optimiser of
torchopt. What it makes on top, EK-FAC, SOURCE and TRAK, takes Hugging Face models on tokenised text, by their linear
and convolution layers alone, and is not compared.
"""

import tempfile

import torch
import torchopt
from bergson.magic import BackwardState, Trainer
from torch import nn
from torch.nn import functional as F
from torchopt.pytree import tree_iter

from fading.derivatives.reverse import uses
from fading.peers import Peer
from fading.peers.comparisons import Comparison, module_at, quiet
from fading.training.optimizers import SGD, AdamW
from fading.training.segment import Segment

BATCHES, PASSES, RATE, ADAPTIVE_RATE, ROOT = 4, 2, 0.05, 1e-3, 1e-17

PEER = Peer(
    compares={
        "unrolled": ("resnet", "bert", "logistic"),
        "unrolled-adamw": ("resnet", "bert", "logistic"),
    },
    absent="The environment is without Bergson: it requires torchaudio, whose newest release (2.11) refuses the locked "
    "torch (2.15). It works without: see the section on other libraries in docs/estimators.md.",
)


def comparisons():
    return {
        "unrolled": Comparison(
            "bergson",
            "unrolled, SGD",
            lambda task: _magic(task, torchopt.sgd(RATE)),
            lambda task: _unrolled(task, SGD(RATE)),
            f"MAGIC, which is unrolled, over {PASSES} passes of {BATCHES} batches from the checkpoint on; one backward "
            "pass per test example, each of which replays the steps, where ours takes all test examples at once.",
        ),
        "unrolled-adamw": Comparison(
            "bergson",
            "unrolled, AdamW",
            lambda task: _magic(task, torchopt.adamw(ADAPTIVE_RATE, weight_decay=0.0, eps_root=ROOT)),
            lambda task: _unrolled(task, AdamW(ADAPTIVE_RATE)),
            f"The same by AdamW with {ROOT} within the root, its configuration's default. With 0 its derivative is no "
            "number where a gradient is exactly zero, which counts as 0 in ours. That and rounding are the difference.",
        ),
    }


class Weighted(nn.Module):
    """The mean weighted loss of a batch, with the study's divisor."""

    def __init__(self, case, module):
        super().__init__()
        self.case, self.module = case, module

    def forward(self, inputs, labels, example_weight, shift_loss_mask):
        losses = F.cross_entropy(self.module(*inputs), labels, reduction="none")
        decay = self.case.weight_decay / 2 * sum(parameter.square().sum() for parameter in self.module.parameters())
        return (example_weight * losses).mean() + decay


class Stream:
    """Batches of a case for its Trainer, whose own stream is of tokens; what it reads of it has these names."""

    device = torch.device("cpu")

    def __init__(self, case, batches):
        self.case, self.batches = case, batches
        self.weights = nn.Parameter(torch.ones(len(case.train), dtype=case.dtype), requires_grad=False)

    @property
    def requires_grad(self):
        return self.weights.requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        self.weights.requires_grad = value

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, step):
        batch = self.batches[step]
        return _inputs(self.case.train[batch], self.weights[batch])


def _inputs(examples, weights):
    """What the Trainer passes to the module; it reads the batch's size from the mask."""
    inputs = {"inputs": examples.inputs, "labels": examples.labels, "example_weight": weights}
    return inputs | {"shift_loss_mask": torch.ones(len(examples))}


def _batches(task):
    return list(torch.arange(len(task.case.train)).tensor_split(BATCHES)) * PASSES


def _magic(task, optimizer):
    case, scores = task.case, []
    model = Weighted(case, module_at(case, task.theta))
    with (
        tempfile.TemporaryDirectory() as folder,
        torch.random.fork_rng(devices=[]),  # it seeds the global generator
        quiet(),
    ):
        trainer, state = Trainer.initialize(model, optimizer)
        stream = Stream(case, _batches(task))
        state = trainer.train(state, stream, save_dir=folder, save_mode="all")
        moments = [leaf for leaf in tree_iter(state.opt_state) if torch.is_tensor(leaf) and leaf.is_floating_point()]
        for slopes in _test_gradients(case, model, state):
            nothing = [torch.zeros_like(leaf) for leaf in moments]
            end = BackwardState(slopes, nothing, torch.zeros_like(stream.weights))
            start = trainer.backward(folder, stream, end, state, cleanup=False, save_mode="all")
            scores.append(start.weight_grads.detach())
    return torch.stack(scores, 1)


def _test_gradients(case, model, state):
    """∇ℓ(θ_T; z) of each measured test example, without weight decay, by parameter."""
    gradients = []
    with state.activate(model) as parameters:
        for z in range(len(case.tested)):
            example = case.tested[z : z + 1]
            loss = F.cross_entropy(model.module(*example.inputs), example.labels)
            slopes = torch.autograd.grad(loss, list(parameters.values()))
            gradients.append(dict(zip(parameters, slopes, strict=True)))
    return gradients


def _unrolled(task, optimizer):
    case = task.case
    segment = Segment(case, optimizer.start(task.theta), _batches(task), optimizer)
    return uses(segment, case.tested).by_example(len(case.train))
