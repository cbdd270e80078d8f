"""What datasets of images offer to models."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor  # which fetching images need not load


def scaled(images: np.ndarray) -> "Tensor":
    """Images (n, channels, height, width) in [0, 1], of uint8; grey ones may come without channels."""
    import torch

    tensor = torch.as_tensor(images)
    return (tensor if tensor.ndim == 4 else tensor[:, None]).float() / 255


def normalised(images: np.ndarray, mean: tuple[float, ...], deviation: tuple[float, ...]) -> "Tensor":
    """The scaled images less the mean of their channel, (channels,), divided by its standard deviation."""
    import torch

    mean, deviation = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in (mean, deviation))
    return (scaled(images) - mean) / deviation


def pooled(images: np.ndarray, size: int) -> "Tensor":
    """Features (n, width) of Euclidean norm 1: means of size × size pixels of the scaled images, channel by channel."""
    from torch.nn import functional as F

    return F.normalize(F.avg_pool2d(scaled(images), size).flatten(1))
