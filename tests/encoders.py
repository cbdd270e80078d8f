"""Small encoders of several architectures, and folders with them as transformers saves them."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerFast

WORDS = ["a", "good", "film", "bad", "not", "very", "it", "is", "the", "and", "of", "plot"]
SIZES = {"hidden_size": 4, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 6}
COMMON = {"vocab_size": 20, "max_position_embeddings": 12, "pad_token_id": 0}
ENCODERS = {
    "bert": SIZES | COMMON,
    "roberta": SIZES | COMMON | {"pad_token_id": 1, "type_vocab_size": 1, "bos_token_id": 2, "eos_token_id": 3},
    "distilbert": {"dim": 4, "n_layers": 2, "n_heads": 2, "hidden_dim": 6} | COMMON,
    "electra": SIZES | COMMON | {"embedding_size": 3},
    "albert": SIZES | COMMON | {"embedding_size": 3},
}


def architecture(kind: str) -> dict:
    """What its config.json says."""
    return {"model_type": kind, **ENCODERS[kind]}


def network(kind: str, classes: int = 3, seed: int = 0) -> PreTrainedModel:
    """transformers' own classifier, in evaluation mode, large enough in its weights for examples to differ."""
    config = AutoConfig.for_model(kind, **ENCODERS[kind], num_labels=classes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
        for name, parameter in made.named_parameters():
            if not name.endswith(("LayerNorm.weight", "layer_norm.weight")):
                parameter.data.normal_(std=0.4)
        for module in made.modules():
            if isinstance(module, torch.nn.Embedding) and module.padding_idx is not None:
                module.weight.data[module.padding_idx] = 0
    return made


def tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """Whole words, a piece each, between a piece that starts and one that ends; pairs are told apart."""
    pad = ENCODERS[kind]["pad_token_id"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] if pad == 0 else ["[UNK]", "[PAD]", "[CLS]", "[SEP]"]
    vocabulary = {word: place for place, word in enumerate([*special, *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    second = "$B:1 [SEP]:1" if kind != "roberta" else "$B [SEP]"
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=f"[CLS] $A [SEP] {second}", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]")


def saved(kind: str, folder: Path, classes: int = 3, **options) -> PreTrainedModel:
    """The network, saved with its tokenizer into a folder in the hub's layout."""
    made = network(kind, classes)
    made.save_pretrained(folder, **options)
    tokenizer(kind).save_pretrained(folder)
    return made
