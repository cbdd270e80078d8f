"""The kinds of layers whose gradients of single examples are known, and how these follow, in factors (factors.py).

Each function takes a layer, what enters it and the gradient that comes back to its output, of n examples.
"""

import torch
from torch import nn
from torch.nn import functional as F

from fading.derivatives.factors import Dense, Outer, Rows


def _linear(module, inputs, backward):
    n, width = len(inputs), inputs.shape[-1]
    return _outer(module, inputs.reshape(n, -1, width), backward.reshape(n, -1, module.out_features))


def _convolution(module, inputs, backward):
    (down, right), (pad_down, pad_right) = module.stride, module.padding
    padded = F.pad(inputs.permute(0, 2, 3, 1), (0, 0, pad_right, pad_right, pad_down, pad_down))
    n, _, _, channels = padded.shape
    sn, sy, sx, sc = padded.stride()
    patches = padded.as_strided(
        (n, *backward.shape[2:], *module.kernel_size, channels), (sn, sy * down, sx * right, sy, sx, sc)
    )
    positions = backward.shape[2] * backward.shape[3]
    return _outer(module, patches.reshape(n, positions, -1), backward.flatten(2).mT)


def _embedding(module, inputs, backward):
    n, width = len(inputs), module.embedding_dim
    indices, backward = inputs.reshape(n, -1), backward.reshape(n, -1, width)
    if module.padding_idx is not None:  # torch gives that row no gradient
        backward = backward.masked_fill((indices == module.padding_idx)[..., None], 0)
    return Rows(indices, backward, module.num_embeddings)


def _group_norm(module, inputs, backward):
    return _by_channel(F.group_norm(inputs, module.num_groups, None, None, module.eps), backward)


def _batch_norm(module, inputs, backward):
    normal = F.batch_norm(inputs, module.running_mean, module.running_var, eps=module.eps)
    return _by_channel(normal, backward)


def _by_channel(normal, backward):
    n, channels = normal.shape[:2]
    parts = [(normal * backward).reshape(n, channels, -1).sum(2), backward.reshape(n, channels, -1).sum(2)]
    return Dense(torch.cat(parts, 1))


def _layer_norm(module, inputs, backward):
    normal = F.layer_norm(inputs, module.normalized_shape, None, None, module.eps)
    n, width = len(inputs), module.normalized_shape[0]
    parts = [(normal * backward).reshape(n, -1, width).sum(1), backward.reshape(n, -1, width).sum(1)]
    return Dense(torch.cat(parts, 1))


def _outer(module, inputs, backward):
    if module.bias is not None:
        inputs = torch.cat([inputs, torch.ones_like(inputs[..., :1])], -1)
    return Outer(inputs, backward)


NORMS = (nn.GroupNorm, nn.LayerNorm, nn.BatchNorm2d)
TREATED = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.Embedding: _embedding,
    nn.GroupNorm: _group_norm,
    nn.LayerNorm: _layer_norm,
    nn.BatchNorm2d: _batch_norm,
}


def treated(module: nn.Module) -> bool:
    """Is a layer one of these kinds, and without what they don't treat?"""
    if type(module) not in TREATED:
        return False
    if isinstance(module, nn.Conv2d):
        plain = (module.groups, module.dilation, module.padding_mode) == (1, (1, 1), "zeros")
        return plain and not isinstance(module.padding, str)
    if isinstance(module, nn.BatchNorm2d):
        return not module.training and module.running_mean is not None and module.affine
    if isinstance(module, nn.GroupNorm):
        return module.bias is not None
    if isinstance(module, nn.LayerNorm):
        return len(module.normalized_shape) == 1 and module.bias is not None
    if isinstance(module, nn.Embedding):
        return not (module.sparse or module.scale_grad_by_freq or module.max_norm)
    return True
