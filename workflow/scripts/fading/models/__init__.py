"""A model with its data and loss: the Case, what all stages see, and a file per kind of model.

Here belong networks, their initial parameters and the loss of an example. How they are trained, and derivatives of
their loss, do not: they are in training and derivatives.

A model's file exports

    MODEL                                       its description
    build(settings, inputs, classes)            the module, initialised at random; it maps the tensors of examples to
                                                logits, each example by itself, and holds nothing random; what does not
                                                train are buffers
    load_pretrained(module, tensors)            takes pre-trained weights, where the description or a case names some

and where the description says that parts may be frozen

    frozen(settings, weights)                   of pre-trained weights, as their artefact holds them, what no parameter
                                                holds: frozen.<buffer> by name, and `architecture`, the bytes of
                                                config.json, where the module is built after one; build then finds it,
                                                parsed, under that name among its settings
"""

from dataclasses import dataclass, field

from fading.registry import Registry


@dataclass(frozen=True)
class Model:
    """A kind of model: what it `takes` of what a dataset offers, and JSON schemas of the settings that it alone needs.

    `optional` are schemas of settings that a case may leave out; `checkpoint` among them names the pre-trained weights
    that training starts from, and `weights` those of a kind that has no other. `frozen` says that a part of them may
    not train, `small` that the model has few enough parameters for an explicit Hessian.
    """

    takes: str
    settings: dict[str, dict] = field(default_factory=dict)
    optional: dict[str, dict] = field(default_factory=dict)
    weights: str | None = None
    frozen: bool = False
    small: bool = False


MODELS = Registry("models", Model)
