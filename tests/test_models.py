import json

import torch
from fading.data.downloads import minilm
from fading.data.minilm import embeddings, hidden_states
from fading.models.networks import BERT_LOWER_LAYERS, BertTop, ResNet
from tokenizers import Tokenizer
from torch import nn
from torchvision.models.resnet import BasicBlock
from torchvision.models.resnet import ResNet as TorchvisionResNet
from transformers import BertConfig, BertModel

SENTENCES = ["A gripping, gorgeous film.", "Dull.", "It " + "never ends and " * 20, "Not bad at all , really"]


def test_resnet_is_torchvisions_with_another_stem_and_width():
    theirs = TorchvisionResNet.__new__(TorchvisionResNet)
    nn.Module.__init__(theirs)
    theirs._norm_layer, theirs.inplanes, theirs.dilation, theirs.groups, theirs.base_width = (
        lambda channels: nn.GroupNorm(4, channels),
        8,
        1,
        1,
        64,
    )
    theirs.conv1, theirs.bn1 = nn.Conv2d(1, 8, 3, 2, 1, bias=False), nn.GroupNorm(4, 8)
    theirs.relu, theirs.maxpool, theirs.avgpool = nn.ReLU(), nn.Identity(), nn.AdaptiveAvgPool2d(1)
    for layer, (width, stride) in enumerate([(8, 1), (16, 2), (32, 2), (64, 2)], start=1):
        setattr(theirs, f"layer{layer}", theirs._make_layer(BasicBlock, width, 1, stride))
    theirs.fc = nn.Linear(64, 10)

    ours = ResNet(8, "relu", 10)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(5, 1, 28, 28)
    torch.testing.assert_close(ours(images), theirs(images))
    assert sum(parameter.numel() for parameter in ours.parameters()) == 77_858


def test_bert_top_on_cached_states_is_the_whole_bert():
    weights = minilm()
    config = BertConfig(**json.loads(weights["config.json"].tobytes()), attn_implementation="eager")
    theirs = BertModel(config).eval()
    tensors = {name: torch.from_numpy(array) for name, array in weights.items() if not name.endswith(".json")}
    theirs.load_state_dict(tensors, strict=False)
    tokenizer = Tokenizer.from_str(weights["tokenizer.json"].tobytes().decode())
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16)
    encoded = tokenizer.encode_batch(SENTENCES)
    ids, mask = (torch.tensor([getattr(one, name) for one in encoded]) for name in ("ids", "attention_mask"))
    with torch.no_grad():
        expected = theirs(ids, attention_mask=mask)

        top = BertTop(384, 12, 1536, 1e-12, 2)
        top.load_bert(tensors, BERT_LOWER_LAYERS)
        hidden, ours_mask = hidden_states(weights, SENTENCES, 16, BERT_LOWER_LAYERS, iter)
        assert torch.equal(ours_mask, mask)
        torch.testing.assert_close(top.pooled(hidden, ours_mask), expected.pooler_output, atol=2e-6, rtol=1e-5)

        mean = (expected.last_hidden_state * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        torch.testing.assert_close(embeddings(weights, SENTENCES, 16, iter), nn.functional.normalize(mean))
