"""Print how many MiB computations are predicted to take and take, within a budget: python tests/memory.py

On all layers of the packaged MiniLM, 22.7 million parameters, and 16 sentences of 16 word pieces, on the CPU: gradient
products with 6 test examples, a Lanczos run of 6 products, 6 steps unrolled for 6 test examples. And what is predicted
of the same for BERT-base on 64 word pieces and ResNet-50 on pictures of 32 × 32, in the default budget. Predicted is
what the library bounds, without what torch and the operations themselves take.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from fading.artefacts import budget
from fading.data import minilm
from fading.derivatives.curvature import GRAPH, Curvature
from fading.derivatives.gradients import CHUNK, bytes_per_gradient, gradient_products
from fading.derivatives.lanczos import BESIDE, lanczos, random_vector
from fading.derivatives.reverse import FOLLOWED, TOGETHER, _following, uses
from fading.errors import FadingError
from fading.models.case import initial_parameters, open_case
from fading.peers.measure import peak_mebibytes
from fading.training.optimizers import SGD, AdamW
from fading.training.segment import Segment

KRYLOV, TESTED, STEPS, BATCH, COUNT = 6, 6, 6, 8, 16
WHAT = ("gradient products", "Lanczos", "unrolled")
BERT_BASE = {
    **{"model_type": "bert", "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12},
    **{"num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 512, "type_vocab_size": 2},
}


def sentences(architecture: dict, tokens: int):
    """A case of an encoder on random word pieces, and its settings."""
    draws = np.random.default_rng(0)
    model = {"kind": "transformers", "checkpoint": "minilm", "train": "all", "precision": "float32"}
    settings = {"model": model, "classes": 2, "measured": TESTED, "weight_decay": 0, "seed": 0}
    arrays = {"architecture": np.frombuffer(json.dumps(architecture).encode(), np.uint8)}
    for split in ("train", "test"):
        arrays[f"{split}_labels"] = draws.integers(0, 2, COUNT)
        arrays[f"{split}_inputs.0"] = draws.integers(0, 1000, (COUNT, tokens))
        arrays[f"{split}_inputs.1"] = np.ones((COUNT, tokens), np.int64)
        arrays[f"{split}_inputs.2"] = np.zeros((COUNT, tokens), np.int64)
    return settings, open_case(settings, arrays)


def pictures():
    """ResNet-50 on random pictures."""
    draws = np.random.default_rng(0)
    names = {"name": "resnet50", "norm": "group", "activation": "gelu", "stem": "small"}
    model = {"kind": "torchvision", **names, "precision": "float32"}
    settings = {"model": model, "classes": 10, "measured": TESTED, "weight_decay": 0, "seed": 0}
    arrays = {}
    for split in ("train", "test"):
        arrays[f"{split}_labels"] = draws.integers(0, 10, COUNT)
        arrays[f"{split}_inputs.0"] = draws.normal(size=(COUNT, 3, 32, 32)).astype(np.float32)
    return open_case(settings, arrays)


def predicted(case, optimizer) -> list[int]:
    """Bytes of each computation."""
    vector = sum(shape.numel() for shape in case.shapes.values()) * case.dtype.itemsize
    example, gradient, rows = case.bytes_per_example, bytes_per_gradient(case), 1 + optimizer.moments
    chunk, held = (budget.fitting(gradient, most, share=0.25) for most in (min(COUNT, CHUNK), TESTED))
    graph = GRAPH * example * COUNT
    following = _following(torch.empty(rows, vector // case.dtype.itemsize, device="meta"))
    at_once = budget.fitting(following, min(TESTED, TOGETHER), share=FOLLOWED)
    states = budget.fitting(rows * vector, STEPS + 1, share=0.25)
    return [
        (chunk + held) * gradient,
        (KRYLOV + BESIDE) * vector + 2 * graph,
        states * rows * vector + at_once * following + 2 * vector + 2 * graph,
    ]


def measured(number: int, given: str, optimizer) -> str:
    """MiB by which a fresh process grows that does the computation, or that it is refused."""
    torch.set_num_threads(1)
    budget.set_limit(given)
    case, theta = minilm_on_sentences()
    drawn = torch.arange(BATCH * STEPS).remainder(COUNT).split(BATCH)
    segment = Segment(case, optimizer.start(theta), list(drawn), optimizer)
    functions = [
        lambda: gradient_products(case, theta, case.train, case.tested),
        lambda: lanczos(Curvature(case, theta, torch.arange(COUNT)), random_vector(theta, 0), KRYLOV),
        lambda: uses(segment, case.tested),
    ]
    try:
        return f"{peak_mebibytes(functions[number]):.0f}"
    except FadingError:  # its own words are above
        return "refused"


def minilm_on_sentences():
    """All layers of the packaged MiniLM on random word pieces, and θ."""
    weights = minilm.fetch(iter)
    settings, case = sentences(json.loads(weights["config.json"].tobytes()), tokens=16)
    return case, initial_parameters(settings, case, weights)


def main():
    row = "{:8}{:7}{:20}{:>12}{:>12}".format
    print(row("budget", "", "MiniLM, all layers", "predicted", "measured"))
    for given in ("1 GiB", "2 GiB", budget.DEFAULT):
        budget.set_limit(given)
        for optimizer, numbers in ((SGD(0.01), (0, 1, 2)), (AdamW(1e-4), (2,))):
            told = predicted(minilm_on_sentences()[0], optimizer)
            for number in numbers:
                with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
                    taken = fresh.submit(measured, number, given, optimizer).result()
                print(row(given, type(optimizer).__name__, WHAT[number], told[number] >> 20, taken), flush=True)
    for name, make in (("BERT-base", lambda: sentences(BERT_BASE, 64)[1]), ("ResNet-50", pictures)):
        case = make()
        example, gradient = case.bytes_per_example / 2**20, bytes_per_gradient(case) / 2**20
        print(f"{name}: {example:.1f} MiB of an example, {gradient:.0f} of its gradient")
        for what, number in zip(WHAT, predicted(case, AdamW(1e-4)), strict=True):
            print(row(budget.DEFAULT, "AdamW", what, number >> 20, ""))


if __name__ == "__main__":
    main()
