"""Gradients of single examples for one layer's parameters, factored where that saves forming them.

The gradient of a linear map at T positions is the sum of T outer products of what enters it and of what comes back
(Goodfellow 2015), and the inner product of two such gradients needs only inner products of the factors.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


class LayerGradients:
    """The gradients of n examples with respect to a layer's q parameters, themselves as matrix (n, q).

    The layer's own order is by output: a row of the weight, its bias, the next row; an embedding's is by row.
    """

    matrix: Tensor

    def dot(self, other: "LayerGradients") -> Tensor:
        """Inner products with the gradients of m other examples: (n, m)."""
        return self.matrix @ other.matrix.T

    def project(self, vectors: Tensor) -> Tensor:
        """Inner products with vectors (r, q) in the layer's own order: (n, r)."""
        return self.matrix @ vectors.T

    def squared_norms(self) -> Tensor:
        """(n,)"""
        return self.matrix.square().sum(1)

    def sum_of_squares(self) -> Tensor:
        """Of each parameter's gradient, over the examples: (q,)."""
        return self.matrix.square().sum(0)


@dataclass(frozen=True)
class Dense(LayerGradients):
    """Gradients of a layer of few parameters, as they are."""

    matrix: Tensor


@dataclass(frozen=True)
class Outer(LayerGradients):
    """Gradients that are sums over positions t of backward_t ⊗ inputs_t.

    `inputs` (n, T, i) holds a last column of ones where the layer has a bias, `backward` (n, T, o); q = o · i.
    """

    inputs: Tensor
    backward: Tensor

    @cached_property
    def matrix(self) -> Tensor:
        return (self.backward.mT @ self.inputs).flatten(1)

    def dot(self, other: "Outer") -> Tensor:
        (n, positions, i), o = self.inputs.shape, self.backward.shape[2]
        if positions**2 * (i + o) > i * o:  # then forming the gradients is cheaper
            return super().dot(other)
        products = self.inputs.flatten(0, 1) @ other.inputs.flatten(0, 1).T
        products *= self.backward.flatten(0, 1) @ other.backward.flatten(0, 1).T
        return products.view(n, positions, -1, positions).sum((1, 3))

    def project(self, vectors: Tensor) -> Tensor:
        (n, positions, i), o = self.inputs.shape, self.backward.shape[2]
        if positions > 1:
            return super().project(vectors)
        # One position: apply the vectors to the inputs, without forming the gradients. In two products, since einsum
        # takes three in an order that depends on whether opt-einsum is installed.
        through = (self.inputs[:, 0] @ vectors.reshape(-1, i).T).view(n, -1, o)
        return (through @ self.backward[:, 0, :, None])[..., 0]

    def squared_norms(self) -> Tensor:
        if self.inputs.shape[1] > 1:
            return super().squared_norms()
        return self.inputs.square().sum((1, 2)) * self.backward.square().sum((1, 2))

    def sum_of_squares(self) -> Tensor:
        if self.inputs.shape[1] > 1:
            return super().sum_of_squares()
        return (self.backward[:, 0].square().T @ self.inputs[:, 0].square()).flatten()


@dataclass(frozen=True)
class Rows(LayerGradients):
    """Gradients of an embedding of v rows: sums over positions t of e(indices_t) ⊗ backward_t, unit vectors e unformed.

    `indices` (n, T) are the rows that each example looks up, `backward` (n, T, o); q = v · o.
    """

    indices: Tensor
    backward: Tensor
    rows: int

    @cached_property
    def entries(self) -> tuple[Tensor, Tensor, Tensor]:
        """Example (u,), row (u,) and gradient (u, o) of each row that an example looks up, once, sorted by row."""
        n, positions = self.indices.shape
        example = torch.arange(n, device=self.indices.device).repeat_interleave(positions)
        pairs, place = torch.unique(self.indices.flatten() * n + example, return_inverse=True)
        values = self.backward.new_zeros(len(pairs), self.backward.shape[2])
        return pairs % n, pairs // n, values.index_add(0, place, self.backward.flatten(0, 1))

    @cached_property
    def by_row(self) -> dict[int, tuple[Tensor, Tensor]]:
        """The examples that look up each row (e,), and their gradients there (e, o)."""
        example, row, values = self.entries
        present, counts = torch.unique_consecutive(row, return_counts=True)
        counts = counts.tolist()
        parts = zip(example.split(counts), values.split(counts), strict=True)
        return dict(zip(present.tolist(), parts, strict=True))

    @cached_property
    def matrix(self) -> Tensor:
        example, row, values = self.entries
        matrix = values.new_zeros(len(self.indices), self.rows, values.shape[1])
        matrix[example, row] = values
        return matrix.flatten(1)

    def dot(self, other: "Rows") -> Tensor:
        products = self.backward.new_zeros(len(self.indices), len(other.indices))
        theirs = other.by_row
        for row, (example, values) in self.by_row.items():
            if row in theirs:
                others, their_values = theirs[row]
                products[example[:, None], others] += values @ their_values.T
        return products

    def project(self, vectors: "Tensor | Rows") -> Tensor:
        if isinstance(vectors, Rows):
            return self.dot(vectors)
        example, row, values = self.entries
        products = values.new_empty(len(values), len(vectors))
        for column, table in enumerate(vectors.view(len(vectors), self.rows, values.shape[1])):
            products[:, column] = torch.linalg.vecdot(values, table[row])
        return products.new_zeros(len(self.indices), len(vectors)).index_add(0, example, products)

    def squared_norms(self) -> Tensor:
        example, _, values = self.entries
        return values.new_zeros(len(self.indices)).index_add(0, example, values.square().sum(1))

    def sum_of_squares(self) -> Tensor:
        _, row, values = self.entries
        return values.new_zeros(self.rows, values.shape[1]).index_add(0, row, values.square()).flatten()


def added(parts: list[LayerGradients]) -> LayerGradients:
    """The sum of gradients of the same examples for the same parameters, each of the same kind."""
    first, *others = parts
    if not others:
        return first
    if isinstance(first, Dense):
        return Dense(sum(part.matrix for part in parts))
    backward = torch.cat([part.backward for part in parts], 1)
    if isinstance(first, Rows):
        return Rows(torch.cat([part.indices for part in parts], 1), backward, first.rows)
    return Outer(torch.cat([part.inputs for part in parts], 1), backward)
