"""Optimisers as functions of a state and a gradient, with the derivative of a step, and schedules of the learning rate.

The state (1 + s, p) holds the parameters θ in its first row and the optimiser's s moments below. A step treats each
coordinate by itself, so its derivative is a small matrix per coordinate: jacobian() gives d(next state)/d(state,
gradient), (1 + s, 2 + s, p), with a last axis of 1 where it is the same for all coordinates. push() and pull() apply it
to COLUMNS coordinates at a time, since of millions it would take a dozen times what the state does.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import torch
from torch import Tensor

COLUMNS = {"cpu": 2**16, "cuda": 2**22}


@dataclass(frozen=True)
class Schedule:
    """Which share of the learning rate a step has: a linear rise over `warm_up` steps, then all of it.

    With `end` it falls linearly from there, and would be zero at that step, the first beyond training.
    """

    warm_up: int = 0
    end: int | None = None

    def share(self, t: int) -> float:
        """That of step t, counted from 0. Raises ValueError beyond training, where it would be negative."""
        if self.end is not None and t >= self.end:
            raise ValueError(f"The learning rate falls until step {self.end}: step {t} has none.")
        if t < self.warm_up:
            return (t + 1) / self.warm_up
        return 1.0 if self.end is None else (self.end - t) / (self.end - self.warm_up)


CONSTANT = Schedule()


@dataclass(frozen=True)
class Optimizer(ABC):
    """What moves the parameters, with its learning rate η, the largest of its schedule."""

    learning_rate: float
    schedule: Schedule = field(default=CONSTANT, kw_only=True)
    moments: ClassVar[int]

    def rate(self, t: int) -> float:
        """The learning rate η_t of step t, counted from 0 at the start of training."""
        return self.learning_rate * self.schedule.share(t)

    def travelled(self, start: int, stop: int) -> float:
        """Σ η_t over the steps t from start to stop − 1."""
        return sum(map(self.rate, range(start, stop)))

    def start(self, theta: Tensor) -> Tensor:
        """The state before training: θ (p,) over moments of zero."""
        return torch.cat([theta[None], torch.zeros(self.moments, len(theta), dtype=theta.dtype)])

    @abstractmethod
    def step(self, state: Tensor, gradient: Tensor, t: int) -> Tensor:
        """The state after step t, counted from 0 at the start of training; of each of K replicas, (K, 1 + s, p)."""

    @abstractmethod
    def jacobian(self, state: Tensor, gradient: Tensor, t: int) -> Tensor:
        """The derivative of step() at the same arguments."""

    def push(self, state: Tensor, gradient: Tensor, t: int, tangents: Tensor) -> Tensor:
        """How step t moves k tangents (k, 2 + s, p) of state and gradient: those of the next state, (k, 1 + s, p)."""
        moved = tangents.new_zeros(len(tangents), *state.shape)
        for columns, jacobian in self._jacobians(state, gradient, t):
            _add_product(moved[..., columns], jacobian.transpose(0, 1), tangents[..., columns])
        return moved

    def pull(self, state: Tensor, gradient: Tensor, t: int, cotangents: Tensor) -> Tensor:
        """The transpose of push: cotangents (k, 1 + s, p) of the next state to (k, 2 + s, p)."""
        pulled = cotangents.new_zeros(len(cotangents), 1 + len(state), len(gradient))
        for columns, jacobian in self._jacobians(state, gradient, t):
            _add_product(pulled[..., columns], jacobian, cotangents[..., columns])
        return pulled

    def _jacobians(self, state, gradient, t):
        size = COLUMNS[gradient.device.type]
        for start in range(0, len(gradient), size):
            columns = slice(start, start + size)
            yield columns, self.jacobian(state[:, columns], gradient[columns], t)


@dataclass(frozen=True)
class SGD(Optimizer):
    """θ ← θ − η_t g"""

    moments = 0

    def step(self, state, gradient, t):
        return gradient[..., None, :].mul(-self.rate(t)).add_(state)

    def jacobian(self, state, gradient, t):
        return torch.tensor([[1, -self.rate(t)]], dtype=state.dtype)[..., None]


@dataclass(frozen=True)
class Momentum(Optimizer):
    """m ← μm + g, θ ← θ − η_t m (heavy ball, as in torch.optim.SGD), μ = .9"""

    moments = 1
    decay: float = 0.9

    def step(self, state, gradient, t):
        theta, moment = state.unbind(-2)
        moment = self.decay * moment + gradient
        return torch.stack([theta - self.rate(t) * moment, moment], -2)

    def jacobian(self, state, gradient, t):
        eta, mu = self.rate(t), self.decay
        return torch.tensor([[1, -eta * mu, -eta], [0, mu, 1]], dtype=state.dtype)[..., None]


@dataclass(frozen=True)
class AdamW(Optimizer):
    """m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← (1 − η_t λ)θ − η_t m̂ / (√v̂ + 10⁻⁸), β = (.9, .999).

    Loshchilov and Hutter 2019, as in torch.optim.AdamW; m̂ and v̂ are corrected for their start at zero; the weight decay
    λ is decoupled from the gradient. Where v = 0 the derivative of √v̂, whose gradients are 0 too, counts as 0.
    """

    weight_decay: float = 0.0
    moments = 2
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8

    def step(self, state, gradient, t):
        theta, m, v = state.unbind(-2)
        after, eta = torch.empty_like(state), self.rate(t)  # in place: a step of millions is bound by memory
        moved, mean, square = after.unbind(-2)
        torch.lerp(m, gradient, 1 - self.first, out=mean)
        torch.mul(v, self.second, out=square).addcmul_(gradient, gradient, value=1 - self.second)
        root = (square / (1 - self.second ** (t + 1))).sqrt_().add_(self.epsilon)
        torch.mul(theta, 1 - eta * self.weight_decay, out=moved)
        moved.addcdiv_(mean, root, value=-eta / (1 - self.first ** (t + 1)))
        return after

    def jacobian(self, state, gradient, t):
        _, m, v = self.step(state, gradient, t)
        correct_first, correct_second, eta = 1 - self.first ** (t + 1), 1 - self.second ** (t + 1), self.rate(t)
        root = (v / correct_second).sqrt_()
        by_m = 1 / (correct_first * (root + self.epsilon))  # of the move m̂ / (√v̂ + ε)
        by_v = (-correct_first / (2 * correct_second) * m * by_m**2).div_(root).masked_fill_(root == 0, 0.0)
        jacobian = state.new_zeros(3, 4, len(gradient))
        jacobian[1, 1], jacobian[1, 3] = self.first, 1 - self.first
        jacobian[2, 2] = self.second
        torch.mul(gradient, 2 * (1 - self.second), out=jacobian[2, 3])
        jacobian[0, 0] = 1 - eta * self.weight_decay
        for source in (1, 2, 3):  # the moments and the gradient, through the moments
            jacobian[0, source] = -eta * (by_m * jacobian[1, source] + by_v * jacobian[2, source])
        return jacobian


def _add_product(to, jacobian, vectors):
    """Add Σ_a J[a, b] v[a] of each coordinate, (k, b, p) of (k, a, p)."""
    for (source, target), block in zip(product(*map(range, jacobian.shape[:2])), jacobian.flatten(0, 1), strict=True):
        if block.any():  # many are zero, and of millions of parameters a pass is dear
            to[:, target].addcmul_(vectors[:, source], block)


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adamw": AdamW}


def make_optimizer(settings: dict, learning_rate: float | None = None) -> Optimizer:
    """The optimiser that settings name as `optimizer`: its learning_rate and schedule, and for adamw decoupled_decay.

    With another learning rate, that one all the time.
    """
    kind = OPTIMIZERS[settings["optimizer"]]
    decay = {"weight_decay": settings["decoupled_decay"]} if kind is AdamW else {}
    if learning_rate is not None:
        return kind(learning_rate, **decay)
    return kind(settings["learning_rate"], schedule=Schedule(**settings.get("schedule", {})), **decay)
