"""Cases from settings and drawn examples, and the parameters that their training starts from."""

import json

import numpy as np
import pytest
import torch
from encoders import architecture, network
from fading.data.drawing import flipped
from fading.errors import FadingError
from fading.models import MODELS
from fading.models.case import initial_parameters, open_case

SHAPES = {"bert": (5, 384), "logistic": (6,), "resnet": (1, 12, 12), "torchvision": (1, 12, 12)}  # of an example
OWN = {
    "resnet": {"width": 4, "activation": "gelu"},
    "torchvision": {"name": "resnet18", "norm": "group", "activation": "gelu", "stem": "small"},
    "transformers": {"checkpoint": "minilm", "train": "last-1"},
}


def settings_of(kind, precision="float32"):
    model = {"kind": kind, "precision": precision, **OWN.get(kind, {})}
    return {"model": model, "classes": 3, "measured": 2, "weight_decay": 0.1, "seed": 0}


def drawn(kind):
    """Examples as an artefact holds them."""
    generator = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 7), ("test", 4)):
        arrays[f"{split}_labels"] = generator.integers(0, 3, count)
        if kind == "transformers":
            pieces = generator.integers(0, 20, (count, 5))
            inputs = (pieces, np.ones_like(pieces), np.zeros_like(pieces))
        else:
            inputs = (generator.normal(size=(count, *SHAPES[kind])).astype(np.float32),)
        if kind == "bert":
            inputs += (np.ones((count, 5), np.int64),)
        arrays |= {f"{split}_inputs.{place}": array for place, array in enumerate(inputs)}
    return arrays


def weights_of(kind):
    """What a kind that is pre-trained starts from, in few parameters."""
    if kind != "transformers":
        return None
    weights = {name: tensor.numpy() for name, tensor in network("bert").state_dict().items()}
    return weights | {"config.json": np.frombuffer(json.dumps(architecture("bert")).encode(), np.uint8)}


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kind", MODELS)
def test_a_case_is_opened_from_its_settings_and_examples(kind, precision):
    arrays, settings, weights = drawn(kind), settings_of(kind, precision), weights_of(kind)
    if MODELS[kind].frozen:
        arrays |= MODELS.load(kind).frozen(settings["model"], weights)
    case = open_case(settings, arrays)
    assert case.dtype == getattr(torch, precision)
    theta = initial_parameters(settings, case, weights)
    assert theta.dtype == case.dtype
    logits = case.logits(theta, case.train.inputs)
    assert logits.shape == (7, 3)
    assert logits.dtype == case.dtype
    assert np.array_equal(case.train.inputs[0].numpy(), arrays["train_inputs.0"])
    assert case.tested.labels.tolist() == arrays["test_labels"][:2].tolist()
    assert case.weight_decay == 0.1


def test_a_case_is_opened_with_the_errors_of_its_run():
    arrays, settings = drawn("logistic"), settings_of("logistic")
    before = arrays["train_labels"].copy()
    opened = {
        seed: open_case(settings | {"flipped": {"share": 0.4, "seed": seed}}, arrays).train.labels.numpy()
        for seed in range(4)
    }
    for seed, labels in opened.items():
        assert (labels == flipped(before, 0.4, 3, seed)).all()
        assert (labels != before).sum() == 3
    assert len({tuple(labels) for labels in opened.values()}) > 1
    assert (arrays["train_labels"] == before).all(), "what is read stays as it is"
    assert (open_case(settings, arrays).train.labels.numpy() == before).all()


def test_random_parameters_depend_on_the_seed_alone():
    settings = settings_of("resnet")
    case = open_case(settings, drawn("resnet"))
    torch.manual_seed(1)
    first = initial_parameters(settings, case, None)
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    assert torch.equal(initial_parameters(settings, case, None), first)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator is left alone"
    assert not torch.equal(initial_parameters(settings | {"seed": 1}, case, None), first)


def test_pretrained_parameters_replace_all_but_the_classifier(minilm_weights):
    settings, weights = settings_of("bert"), minilm_weights
    case = open_case(settings, drawn("bert"))
    starts = [case.unflatten(initial_parameters(settings | {"seed": seed}, case, weights)) for seed in (0, 1)]
    differing = {name for name in starts[0] if not torch.equal(starts[0][name], starts[1][name])}
    assert differing == {"classifier.weight"}
    assert np.array_equal(starts[0]["pooler.weight"], weights["pooler.dense.weight"])


def test_a_checkpoint_of_another_model_is_refused():
    case = open_case(settings_of("logistic"), drawn("logistic"))
    with pytest.raises(FadingError, match=r"of another model: it differs from Logistic in linear\.bias"):
        case.flatten({"linear.weight": torch.zeros(3, 6)})
