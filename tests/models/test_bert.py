"""The top of BERT against transformers' whole BERT."""

import json

import pytest
import torch
from fading.data import minilm
from fading.models import bert
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

SENTENCES = ["A gripping, gorgeous film.", "Dull.", "It " + "never ends and " * 20, "Not bad at all , really"]
TOKENS = 16


@pytest.fixture(scope="module")
def tensors(minilm_weights):
    return {name: torch.from_numpy(array) for name, array in minilm_weights.items() if not name.endswith(".json")}


@pytest.fixture(scope="module")
def reference(minilm_weights, tensors):
    """What transformers' BERT makes of the sentences, and their mask."""
    config = BertConfig(**json.loads(minilm_weights["config.json"].tobytes()), attn_implementation="eager")
    theirs = BertModel(config).eval()
    theirs.load_state_dict(tensors, strict=False)
    tokenizer = Tokenizer.from_str(minilm_weights["tokenizer.json"].tobytes().decode())
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding(length=TOKENS)
    encoded = tokenizer.encode_batch(SENTENCES)
    ids, mask = (torch.tensor([getattr(each, name) for each in encoded]) for name in ("ids", "attention_mask"))
    with torch.no_grad():
        return theirs(ids, attention_mask=mask), mask


def test_bert_top_on_cached_states_is_the_whole_bert(minilm_weights, tensors, reference):
    expected, mask = reference
    hidden, ours_mask = minilm.Encoder(minilm_weights).hidden_states(SENTENCES, TOKENS, iter)
    top = bert.build({}, (hidden, ours_mask), classes=2)
    bert.load_pretrained(top, tensors)
    assert torch.equal(ours_mask, mask)
    with torch.no_grad():
        torch.testing.assert_close(top.pooled(hidden, ours_mask), expected.pooler_output, atol=2e-6, rtol=1e-5)


def test_embeddings_are_the_mean_over_word_pieces(minilm_weights, reference):
    expected, mask = reference
    mean = (expected.last_hidden_state * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    embeddings = minilm.Encoder(minilm_weights).embeddings(SENTENCES, TOKENS, iter)
    torch.testing.assert_close(embeddings, nn.functional.normalize(mean))


def test_the_trained_layer_is_the_first_that_is_not_frozen():
    assert bert.LAYER == minilm.FROZEN_LAYERS
