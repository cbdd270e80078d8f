"""Any encoder that transformers builds for the classification of sequences, as its checkpoint describes it."""

import inspect
import json
import re

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from fading.errors import FadingError
from fading.models import Model, pretrained

MODEL = Model(
    takes="word-pieces",
    settings={
        "checkpoint": {
            "description": "Of transformers: the pre-trained model with its tokenizer, minilm, a folder in the hub's "
            "layout, or one of the hub's by name, revision and the sha256 of its model.safetensors.",
            "if": {"type": "string"},
            "then": {"enum": ["minilm"]},
            "else": {
                "type": "object",
                "if": {"required": ["hub"]},
                "then": {
                    "additionalProperties": False,
                    "required": ["hub", "revision", "sha256"],
                    "properties": {
                        "hub": {
                            "description": "Its owner and name on the hub.",
                            "type": "string",
                            "pattern": r"^[\w.-]+/[\w.-]+$",
                        },
                        "revision": {
                            "description": "The hash of the commit.",
                            "type": "string",
                            "pattern": "^[0-9a-f]{40}$",
                        },
                        "sha256": {
                            "description": "Of its model.safetensors.",
                            "type": "string",
                            "pattern": "^[0-9a-f]{64}$",
                        },
                    },
                },
                "else": {
                    "additionalProperties": False,
                    "required": ["folder"],
                    "properties": {
                        "folder": {
                            "description": "Holds config.json, tokenizer.json and model.safetensors, or its shards and "
                            "their index; absolute or from the working folder.",
                            "type": "string",
                            "minLength": 1,
                        }
                    },
                },
            },
        },
        "train": {
            "description": "Of transformers: which layers train, all, the last so many of the encoder's and what "
            "follows them (last-2), or only what follows them (head).",
            "type": "string",
            "pattern": "^(all|head|last-[1-9][0-9]*)$",
        },
    },
    frozen=True,
)
ANSWERED = {  # keys of a config.json that say how to read, run or label the model, which is said here
    *("_name_or_path", "architectures", "auto_map", "dtype", "torch_dtype", "transformers_version", "model_type"),
    *("id2label", "label2id", "num_labels", "problem_type", "attn_implementation", "quantization_config"),
    *("return_dict", "output_attentions", "output_hidden_states", "gradient_checkpointing"),
}
FORMER = [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]  # in early checkpoints


class Classifier(nn.Module):
    """transformers' module as a map of word pieces, mask and token types, (n, tokens) each, to logits (n, classes).

    Token types are given where the model tells more than one apart.
    """

    def __init__(self, network: PreTrainedModel):
        super().__init__()
        self.network = network
        takes = "token_type_ids" in inspect.signature(network.forward).parameters
        self.typed = takes and getattr(network.config, "type_vocab_size", 0) > 1

    def forward(self, pieces: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        typed = {"token_type_ids": types} if self.typed else {}
        return self.network(input_ids=pieces, attention_mask=mask, **typed).logits


def build(settings: dict, inputs: tuple[Tensor, ...], classes: int) -> Classifier:
    """In evaluation mode without dropout, attention in plain operations, which have second derivatives.

    Settings hold the `architecture`, a checkpoint's config.json. Raises FadingError if transformers can't build it as a
    classifier, if it has fewer layers than are to train, or if sentences are longer or of more pieces than it knows.
    """
    module = _network(settings["architecture"], classes)
    _check_inputs(module.network, *inputs[:1])
    pretrained.freeze(module, _frozen_names(module, settings["train"]))
    return module


def load_pretrained(module: Classifier, tensors: dict[str, Tensor]) -> None:
    """Take a checkpoint's weights, of the encoder alone or of a fine-tuned classifier.

    What follows the encoder's layers, pooler and classifier, stays random where the checkpoint has none; its classifier
    is taken if it is for as many classes, so that training goes on from it. Raises FadingError for any other tensor
    that is missing or of another shape.
    """
    named = _named(module, [name for name, _ in module.named_parameters()], tensors)
    pretrained.take(module, named, may_lack=set(_head(module)).__contains__)


def frozen(settings: dict, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The checkpoint's config.json as `architecture`, and its tensors that don't train."""
    module = _network(json.loads(weights["config.json"].tobytes()), classes=2)
    names = _frozen_names(module, settings["train"])
    named = _named(module, names, weights)
    for name in names:
        pretrained.fits(name, module.get_parameter(name), named, may_lack=False)
    return {"architecture": weights["config.json"]} | {f"frozen.{name}": named[name] for name in names}


def _network(architecture, classes):
    kind = architecture.get("model_type")
    described = {key: value for key, value in architecture.items() if key not in ANSWERED}
    try:
        config = AutoConfig.for_model(kind, **described, num_labels=classes)
        network = AutoModelForSequenceClassification.from_config(
            config, attn_implementation="eager", dtype=torch.float32, trust_remote_code=False
        )
    except (TypeError, ValueError, StrictDataclassError) as error:
        reason = re.split(r"\n|\. ", str(error).strip())[0]
        raise FadingError(
            f"transformers builds no classifier after the config.json of type {kind}: {reason}"
        ) from error
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return Classifier(network).eval()


def _check_inputs(network, pieces):
    known, tokens = network.config.vocab_size, pieces.shape[1]
    if len(pieces) and int(pieces.max()) >= known:
        raise FadingError(f"The tokenizer has the word piece {int(pieces.max())}; the model knows {known} of them.")
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            before = 0 if module.padding_idx is None else module.padding_idx + 1
            longest = module.num_embeddings - before
            if tokens > longest:
                raise FadingError(
                    f"examples.tokens: found {tokens}; accepted is at most {longest}, all of the model's."
                )


def _frozen_names(module, train):
    """The parameters that don't train: up to the encoder's layers, and of these all but the last so many."""
    names = [name for name, _ in module.named_parameters()]
    if train == "all":
        return []
    prefix, count = _layers(module)
    trained = 0 if train == "head" else int(train.removeprefix("last-"))
    if trained and count != module.network.config.num_hidden_layers:
        raise FadingError(f"train: found {train}; layers of this model share parameters: accepted are all and head.")
    if trained > count:
        raise FadingError(f"train: found {train}; accepted is at most last-{count}, every layer of the encoder.")
    first = next(place for place, name in enumerate(names) if name.startswith(prefix))
    lower = tuple(f"{prefix}{layer}." for layer in range(count - trained))
    return [*names[:first], *(name for name in names if lower and name.startswith(lower))]


def _head(module):
    """The parameters that follow the encoder's layers, where those train; else all that do."""
    prefix, _ = _layers(module)
    names = [name for name, _ in module.named_parameters()]
    inside = [place for place, name in enumerate(names) if name.startswith(prefix)]
    return names[inside[-1] + 1 :] if inside else names


def _layers(module):
    """How the names of the encoder's layers begin, and how many there are."""
    base, name = module.network.base_model, module.network.base_model_prefix
    listed = [(place, part) for place, part in base.named_modules() if isinstance(part, nn.ModuleList)]
    if not listed:
        raise FadingError(f"{type(module.network).__name__} has no list of layers, by which an encoder is known.")
    place, layers = listed[0]
    return f"network.{name}.{place}.", len(layers)


def _named(module, names, tensors):
    """A checkpoint's tensors by the module's names: the encoder's may be without its own, the norms' former ones."""
    prefix, found = f"{module.network.base_model_prefix}.", {}
    for name in names:
        whole = name.removeprefix("network.")
        spellings = [whole, whole.removeprefix(prefix)]
        spellings += [former.replace(*change) for former in spellings for change in FORMER]
        if known := [spelling for spelling in spellings if spelling in tensors]:
            found[name] = tensors[known[0]]
    return found
