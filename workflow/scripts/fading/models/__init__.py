"""A model with its data and loss: the Case, what all stages see, and a file per kind of model.

Here belong networks, their initial parameters and the loss of an example. How they are trained, and derivatives of
their loss, do not: they are in training and derivatives.

A model's file exports

    MODEL                                       its description
    build(settings, inputs, classes)            the module, initialised at random; it maps the tensors of examples to
                                                logits, each example by itself, and holds nothing random and no buffers
    load_pretrained(module, tensors)            takes pre-trained weights, where the description names some
"""

from dataclasses import dataclass, field

from fading.registry import Registry


@dataclass(frozen=True)
class Model:
    """A kind of model: what it `takes` of what a dataset offers, and JSON schemas of the settings that it alone needs.

    `weights` names those that its training starts from, if it is pre-trained; `small` says that it has few enough
    parameters for an explicit Hessian.
    """

    takes: str
    settings: dict[str, dict] = field(default_factory=dict)
    weights: str | None = None
    small: bool = False


MODELS = Registry("models", Model)
