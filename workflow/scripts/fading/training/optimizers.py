"""Optimisers as functions of a state and a gradient, with the derivative of a step.

The state (1 + s, p) holds the parameters θ in its first row and the optimiser's s moments below. A step treats each
coordinate by itself, so its derivative is a small matrix per coordinate: jacobian() gives d(next state)/d(state,
gradient), (1 + s, 2 + s, p), with a last axis of 1 where it is the same for all coordinates.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Optimizer(ABC):
    """What moves the parameters, with its learning rate η."""

    learning_rate: float
    moments: ClassVar[int]

    def start(self, theta: Tensor) -> Tensor:
        """The state before training: θ (p,) over moments of zero."""
        return torch.cat([theta[None], torch.zeros(self.moments, len(theta), dtype=theta.dtype)])

    @abstractmethod
    def step(self, state: Tensor, gradient: Tensor, t: int) -> Tensor:
        """The state after step t, counted from 0 at the start of training."""

    @abstractmethod
    def jacobian(self, state: Tensor, gradient: Tensor, t: int) -> Tensor:
        """The derivative of step() at the same arguments."""


@dataclass(frozen=True)
class SGD(Optimizer):
    """θ ← θ − ηg"""

    moments = 0

    def step(self, state, gradient, t):
        return state - self.learning_rate * gradient

    def jacobian(self, state, gradient, t):
        return torch.tensor([[1, -self.learning_rate]], dtype=state.dtype)[..., None]


@dataclass(frozen=True)
class Momentum(Optimizer):
    """m ← μm + g, θ ← θ − ηm (heavy ball, as in torch.optim.SGD), μ = .9"""

    moments = 1
    decay: float = 0.9

    def step(self, state, gradient, t):
        theta, moment = state
        moment = self.decay * moment + gradient
        return torch.stack([theta - self.learning_rate * moment, moment])

    def jacobian(self, state, gradient, t):
        eta, mu = self.learning_rate, self.decay
        return torch.tensor([[1, -eta * mu, -eta], [0, mu, 1]], dtype=state.dtype)[..., None]


@dataclass(frozen=True)
class AdamW(Optimizer):
    """m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← (1 − ηλ)θ − η m̂ / (√v̂ + 10⁻⁸), β = (.9, .999).

    Loshchilov and Hutter 2019, as in torch.optim.AdamW; m̂ and v̂ are corrected for their start at zero; the weight decay
    λ is decoupled from the gradient. Where v = 0 the derivative of √v̂, whose gradients are 0 too, counts as 0.
    """

    weight_decay: float = 0.0
    moments = 2
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8

    def step(self, state, gradient, t):
        theta, m, v = state
        m = self.first * m + (1 - self.first) * gradient
        v = self.second * v + (1 - self.second) * gradient**2
        root = (v / (1 - self.second ** (t + 1))).sqrt()
        move = m / (1 - self.first ** (t + 1)) / (root + self.epsilon)
        return torch.stack([(1 - self.learning_rate * self.weight_decay) * theta - self.learning_rate * move, m, v])

    def jacobian(self, state, gradient, t):
        _, m, v = self.step(state, gradient, t)
        correct_first, correct_second = 1 - self.first ** (t + 1), 1 - self.second ** (t + 1)
        root = (v / correct_second).sqrt()
        by_m = 1 / correct_first / (root + self.epsilon)
        slope = torch.where(root > 0, 1 / (2 * correct_second * root), 0.0)
        by_v = -m / correct_first / (root + self.epsilon) ** 2 * slope
        zero, one = torch.zeros_like(gradient), torch.ones_like(gradient)
        m_row = [zero, self.first * one, zero, (1 - self.first) * one]
        v_row = [zero, zero, self.second * one, 2 * (1 - self.second) * gradient]
        move = [by_m * dm + by_v * dv for dm, dv in zip(m_row, v_row, strict=True)]
        theta_row = [-self.learning_rate * derivative for derivative in move]
        theta_row[0] = theta_row[0] + (1 - self.learning_rate * self.weight_decay)
        return torch.stack([torch.stack(row) for row in (theta_row, m_row, v_row)])


def push(jacobian: Tensor, tangents: Tensor) -> Tensor:
    """How a step moves k tangents (k, 2 + s, p) of state and gradient: tangents of the next state, (k, 1 + s, p)."""
    return sum(jacobian[:, i] * tangents[:, i, None] for i in range(jacobian.shape[1]))


def pull(jacobian: Tensor, cotangents: Tensor) -> Tensor:
    """The transpose of push: cotangents (k, 1 + s, p) of the next state to (k, 2 + s, p)."""
    return sum(jacobian[o] * cotangents[:, o, None] for o in range(jacobian.shape[0]))


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adamw": AdamW}


def make_optimizer(settings: dict) -> Optimizer:
    """The optimiser that settings name as `optimizer`, with their learning_rate and, for adamw, decoupled_decay."""
    kind = OPTIMIZERS[settings["optimizer"]]
    decay = {"weight_decay": settings["decoupled_decay"]} if kind is AdamW else {}
    return kind(settings["learning_rate"], **decay)
