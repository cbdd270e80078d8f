"""Draw a case's training and test examples and compute what its frozen part makes of them."""

from fading.artefacts.job import Job
from fading.data import load
from fading.data.drawing import draw_examples
from fading.models import MODELS

with Job(snakemake) as job:
    settings, weights = job.settings, job.read("weights", optional=True)
    pretrained = job.read("pretrained", optional=True)
    if settings["takes"] == "word-pieces":
        from fading.data.word_pieces import WordPieces

        encoder = WordPieces(pretrained)
    else:
        encoder = None if weights is None else load(settings["weights"]).Encoder(weights)
    examples = draw_examples(load(settings["dataset"]), settings, job.read("source"), encoder, job.progress)
    if "model" in settings:  # a part of it may stay as it was pre-trained
        examples |= MODELS.load(settings["model"]["kind"]).frozen(settings["model"], pretrained)
    job.write("examples", examples)
