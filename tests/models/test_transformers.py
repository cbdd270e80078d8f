"""Encoders by their checkpoints: equal to transformers' own, frozen below what trains, from folders and the hub."""

import json

import numpy as np
import pytest
import torch
from conftest import reference_gradients
from encoders import ENCODERS, architecture, network, saved
from fading.artefacts.store import sha256
from fading.data import checkpoints, movie_reviews, sentences
from fading.data.drawing import draw_examples
from fading.data.word_pieces import WordPieces
from fading.derivatives.gradients import per_example_gradients
from fading.errors import FadingError
from fading.models import transformers as ours
from fading.models.case import initial_parameters, open_case
from torch.func import functional_call, vmap
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

TEXTS = ["a good film", "not very good", "bad", "the plot is bad and it is very very bad of the plot film"]
PAIRS = [(text, "it is the plot") for text in TEXTS]
TOKENS = 8


def settings_of(train="all", classes=3, precision="float32", **checkpoint):
    model = {"kind": "transformers", "checkpoint": checkpoint, "train": train, "precision": precision}
    return {"model": model, "classes": classes, "measured": 2, "weight_decay": 0.1, "seed": 0}


def started(weights, texts=TEXTS, **settings):
    """A case whose examples are these texts, and the parameters that it starts from."""
    settings, arrays = settings_of(**settings), {}
    for split in ("train", "test"):
        arrays[f"{split}_labels"] = np.arange(len(texts)) % settings["classes"]
        for place, tensor in enumerate(WordPieces(weights).word_pieces(texts, TOKENS)):
            arrays[f"{split}_inputs.{place}"] = tensor.numpy()
    case = open_case(settings, arrays | ours.frozen(settings["model"], weights))
    return case, initial_parameters(settings, case, weights)


def logits(case, theta):
    with torch.no_grad():
        return case.logits(theta, case.train.inputs)


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["sentences", "pairs"])
@pytest.mark.parametrize("kind", ENCODERS)
def test_a_saved_folder_is_the_model_that_transformers_loads_from_it(kind, texts, tmp_path):
    saved(kind, tmp_path)
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path, attn_implementation="eager").eval()
    pieces = AutoTokenizer.from_pretrained(tmp_path)(
        *([list(part) for part in zip(*texts, strict=True)] if texts is PAIRS else [texts]),
        **{"padding": "max_length", "max_length": TOKENS, "truncation": True, "return_tensors": "pt"},
        return_token_type_ids=True,
    )
    weights, _ = checkpoints.read({"folder": str(tmp_path)})
    for train in ("all", "head"):
        case, theta = started(weights, texts, train=train)
        assert torch.equal(case.train.inputs[0], pieces["input_ids"])
        with torch.no_grad():
            kept = {name: value for name, value in pieces.items() if name != "token_type_ids" or case.module.typed}
            torch.testing.assert_close(logits(case, theta), theirs(**kept).logits, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ENCODERS)
def test_what_does_not_train_is_no_parameter_and_the_rest_has_the_same_gradient(kind, tmp_path):
    saved(kind, tmp_path)
    weights, _ = checkpoints.read({"folder": str(tmp_path)})
    whole, every = started(weights, precision="float64")
    single = per_example_gradients(whole, every, whole.train)
    torch.testing.assert_close(single, reference_gradients(whole, every, whole.train), atol=1e-12, rtol=1e-10)
    gradients = whole.unflatten(single)
    below = {"head": "layer.0", "last-1": "layer.0", "last-2": "embeddings"}
    for train, frozen in below.items() if kind != "albert" else [("head", "albert_layer_groups")]:
        case, theta = started(weights, train=train, precision="float64")
        assert not any(frozen in name or "embeddings" in name for name in case.shapes)
        assert any("classifier" in name for name in case.shapes)
        assert any("layer.1." in name for name in case.shapes) == (train != "head" and kind != "albert")
        assert torch.equal(logits(case, theta), logits(whole, every))
        assert below_needs_no_gradient(case, theta)
        for name, part in case.unflatten(per_example_gradients(case, theta, case.train)).items():
            torch.testing.assert_close(part, gradients[name], atol=1e-14, rtol=1e-10)


def below_needs_no_gradient(case, theta):
    """Is what leaves the embeddings apart from θ?"""
    left = []
    embeddings = case.module.network.base_model.embeddings
    handle = embeddings.register_forward_hook(lambda module, inputs, output: left.append(output.requires_grad))
    case.losses(theta.clone().requires_grad_(), case.train)
    handle.remove()
    return left == [False]


@pytest.mark.parametrize("kind", ENCODERS)
def test_replicas_and_second_derivatives_go_in_batches(kind):
    module = ours.build(
        {"architecture": architecture(kind), "train": "all"}, (torch.zeros(1, TOKENS, dtype=torch.long),), 3
    ).double()
    module.load_state_dict({f"network.{name}": tensor for name, tensor in network(kind).double().state_dict().items()})
    generator = torch.Generator().manual_seed(0)
    pieces = torch.randint(4, 20, (5, TOKENS), generator=generator)
    mask = (torch.arange(TOKENS) < torch.tensor([[8], [5], [8], [3], [6]])).long()
    inputs = (pieces.where(mask == 1, ENCODERS[kind]["pad_token_id"]), mask, torch.zeros_like(mask))
    start = {name: parameter.detach() for name, parameter in module.named_parameters()}
    replicas = {name: torch.stack([tensor, 1.1 * tensor]) for name, tensor in start.items()}
    together = vmap(lambda parameters: functional_call(module, parameters, inputs))(replicas)
    for place, out in enumerate(together):
        alone = functional_call(module, {name: tensor[place] for name, tensor in replicas.items()}, inputs)
        torch.testing.assert_close(out, alone, atol=1e-13, rtol=1e-12)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
    loss = functional_call(module, leaves, inputs).square().sum()
    slopes = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)
    vectors = [torch.randn(2, *slope.shape, dtype=slope.dtype, generator=generator) for slope in slopes]
    batched = torch.autograd.grad(slopes, list(leaves.values()), vectors, retain_graph=True, is_grads_batched=True)
    for place in range(2):
        one = torch.autograd.grad(
            slopes, list(leaves.values()), [vector[place] for vector in vectors], retain_graph=True
        )
        for actual, expected in zip(batched, one, strict=True):
            torch.testing.assert_close(actual[place], expected, atol=1e-12, rtol=1e-10)


def test_shards_lower_precision_and_an_encoder_without_head(tmp_path):
    theirs = saved("bert", tmp_path / "whole")
    theirs.save_pretrained(tmp_path / "sharded", max_shard_size=600)
    for name in checkpoints.TEXTS:
        (tmp_path / "sharded" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 2
    whole, _ = checkpoints.read({"folder": str(tmp_path / "whole")})
    sharded, _ = checkpoints.read({"folder": str(tmp_path / "sharded")})
    assert sharded.keys() == whole.keys()
    assert all(np.array_equal(sharded[name], whole[name]) for name in whole if name not in checkpoints.TEXTS)

    encoder = tmp_path / "encoder"
    theirs.bert.bfloat16().save_pretrained(encoder)
    for name in checkpoints.TEXTS:
        (encoder / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    bare, _ = checkpoints.read({"folder": str(encoder)})
    assert {array.dtype for name, array in bare.items() if name not in checkpoints.TEXTS} == {np.dtype(np.float32)}
    (case, theta), (_, same) = (started(bare, train="last-1") for _ in range(2))
    parameters = case.unflatten(theta)
    layer = "encoder.layer.1.output.dense.weight"
    assert np.array_equal(parameters[f"network.bert.{layer}"], bare[layer])
    assert torch.equal(theta, same), "what the checkpoint lacks is random from the seed"
    own = AutoModel.from_pretrained(encoder, attn_implementation="eager", dtype=torch.float32).eval()
    pieces, mask, types = case.train.inputs
    with torch.no_grad():
        expected = own(input_ids=pieces, attention_mask=mask, token_type_ids=types).pooler_output
        pooled = []
        case.module.network.classifier.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
        case.logits(theta, case.train.inputs)
    torch.testing.assert_close(pooled[0], expected, atol=1e-6, rtol=1e-5)


def test_a_classifier_is_taken_if_it_is_for_as_many_classes(tmp_path):
    theirs = saved("distilbert", tmp_path)
    weights, _ = checkpoints.read({"folder": str(tmp_path)})
    (same, start), (other, another) = started(weights), started(weights, classes=2)
    assert torch.equal(same.unflatten(start)["network.classifier.weight"], theirs.classifier.weight)
    assert other.unflatten(another)["network.classifier.weight"].shape == (2, 4)
    pre = "network.pre_classifier.weight"
    assert torch.equal(same.unflatten(start)[pre], other.unflatten(another)[pre])


def test_early_checkpoints_have_other_names_for_norms(tmp_path):
    saved("bert", tmp_path)
    weights, _ = checkpoints.read({"folder": str(tmp_path)})
    former = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): array
        for name, array in weights.items()
    }
    assert former.keys() != weights.keys()
    for train in ("all", "last-1"):
        assert torch.equal(*(started(each, train=train)[1] for each in (weights, former)))


def test_word_pieces_of_movie_reviews_by_the_checkpoints_own_tokenizer(tmp_path):
    saved("roberta", tmp_path)
    weights, _ = checkpoints.read({"folder": str(tmp_path)})
    frame = sentences.pd.DataFrame({"text": TEXTS * 3, "rating": [1.0, -1.0] * 6})
    settings = {"takes": "word-pieces", "train": 8, "test": 4, "tokens": 5}
    drawn = draw_examples(movie_reviews, settings, frame, WordPieces(weights), iter)
    pieces, mask, types = (drawn[f"train_inputs.{place}"] for place in range(3))
    assert pieces.shape == mask.shape == types.shape == (8, 5)
    assert pieces.dtype == mask.dtype == types.dtype == np.int64
    assert (pieces[mask == 0] == 1).all(), "RoBERTa pads with 1"
    assert (pieces[:, 0] == 2).all()


class Served:
    """In the hub's place: a folder's files, at addresses of this name and revision alone."""

    def __init__(self, folder, monkeypatch):
        self.asked = []

        def fetched(address, name, pins, scratch):
            self.asked.append(address)
            (scratch / name).write_bytes((folder / name).read_bytes())
            if name in pins and sha256(scratch / name) != pins[name]:
                raise FadingError(f"{address} has another sha256 than {pins[name]}")
            return scratch / name

        monkeypatch.setattr(checkpoints, "fetched", fetched)


def test_from_the_hub_come_three_files_of_a_revision(tmp_path, monkeypatch):
    saved("bert", tmp_path)
    served = Served(tmp_path, monkeypatch)
    hub = {"hub": "owner/name", "revision": 40 * "1", "sha256": sha256(tmp_path / checkpoints.WHOLE)}
    weights, downloads = checkpoints.read(hub)
    local, _ = checkpoints.read({"folder": str(tmp_path)})
    assert weights.keys() == local.keys()
    assert downloads == {name: sha256(tmp_path / name) for name in (*checkpoints.TEXTS, checkpoints.WHOLE)}
    assert [address.partition("owner/name")[2] for address in served.asked] == [
        f"/resolve/{40 * '1'}/{name}" for name in (*checkpoints.TEXTS, checkpoints.WHOLE)
    ]
    assert checkpoints.local(hub) == []
    with pytest.raises(FadingError, match="has another sha256 than 000"):
        checkpoints.read(hub | {"sha256": 64 * "0"})


def test_folders_that_are_no_checkpoint_are_refused(tmp_path):
    saved("bert", tmp_path)
    folder = {"folder": str(tmp_path)}
    (tmp_path / checkpoints.WHOLE).rename(tmp_path / "aside")
    (tmp_path / checkpoints.PICKLED).write_bytes(b"\x80")
    assert str(tmp_path / checkpoints.PICKLED) in checkpoints.local(folder)
    with pytest.raises(FadingError, match=r"pytorch_model.bin is a pickle, which could run code; accepted is model"):
        checkpoints.read(folder)
    (tmp_path / checkpoints.WHOLE).write_bytes(b"nothing")
    with pytest.raises(FadingError, match=r"model.safetensors is not a readable safetensors file"):
        checkpoints.read(folder)
    (tmp_path / checkpoints.INDEX).write_text('{"weight_map": {"a": "../a.safetensors"}}')
    assert str(tmp_path / checkpoints.WHOLE) in checkpoints.local(folder), "the whole file goes first"
    (tmp_path / checkpoints.WHOLE).unlink()
    for shard in ("../a.safetensors", "a.bin", 1):
        (tmp_path / checkpoints.INDEX).write_text(json.dumps({"weight_map": {"a": shard}}))
        with pytest.raises(FadingError, match=r"found the shard .*; accepted are safetensors files in the same folder"):
            checkpoints.local(folder)
    (tmp_path / checkpoints.INDEX).write_text("[]")
    with pytest.raises(FadingError, match=r"model.safetensors.index.json is no index of shards"):
        checkpoints.local(folder)
    (tmp_path / checkpoints.INDEX).unlink()
    (tmp_path / "aside").rename(tmp_path / checkpoints.WHOLE)
    weights, _ = checkpoints.read(folder)
    with pytest.raises(FadingError, match=r"tokenizer.json is no tokenizer"):
        WordPieces(weights | {"tokenizer.json": np.frombuffer(b"{}", np.uint8)})
    for content in ("[]", "{", ""):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(FadingError, match=r"config.json is no readable JSON of a mapping"):
            checkpoints.read(folder)


def changed(folder, **config):
    """The arrays of a checkpoint whose config.json says otherwise."""
    weights, _ = checkpoints.read({"folder": str(folder)})
    described = json.loads(weights["config.json"].tobytes()) | config
    return weights | {"config.json": np.frombuffer(json.dumps(described).encode(), np.uint8)}


def test_what_can_not_be_built_or_loaded_is_refused(tmp_path):
    saved("bert", tmp_path)
    weights = changed(tmp_path)
    for refused, settings, sentence in (
        (
            changed(tmp_path, model_type="nonesuch"),
            {},
            "builds no classifier after the config.json of type nonesuch: U",
        ),
        (changed(tmp_path, num_hidden_layers=3), {}, r"encoder.layer.2.attention.self.query.weight: found none"),
        (changed(tmp_path, intermediate_size=7), {"train": "head"}, r"intermediate.dense.weight: found \(6, 4\); acc"),
        (
            changed(tmp_path, vocab_size=9),
            {},
            r"tokenizer.json has the word piece \d+; the model of config.json knows 9.",
        ),
        (changed(tmp_path, max_position_embeddings=7), {}, "examples.tokens: found 8; accepted is at most 7"),
        (weights, {"train": "last-3"}, "train: found last-3; accepted is at most last-2, every layer of the encoder"),
    ):
        with pytest.raises(FadingError, match=sentence) as raised:
            started(refused, **settings)
        assert "\n" not in str(raised.value)
    albert = tmp_path / "albert"
    saved("albert", albert)
    with pytest.raises(FadingError, match="found last-1; layers of this model share parameters: accepted are all and"):
        started(checkpoints.read({"folder": str(albert)})[0], train="last-1")


def test_code_that_comes_with_a_checkpoint_is_never_looked_at(tmp_path):
    saved("bert", tmp_path)
    own = {"auto_map": {"AutoModelForSequenceClassification": "evil.Model", "AutoConfig": "evil.Config"}}
    case, theta = started(changed(tmp_path, **own))
    assert torch.equal(logits(case, theta), logits(*started(changed(tmp_path))))


def test_dropout_and_training_are_off():
    module = ours.build(
        {"architecture": architecture("bert") | {"hidden_dropout_prob": 0.5}, "train": "all"},
        (torch.zeros(1, 4, dtype=torch.long),),
        2,
    )
    assert not any(part.training for part in module.modules())
    assert not any(getattr(part, "p", 0) for part in module.modules())
