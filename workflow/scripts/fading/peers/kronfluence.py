"""kronfluence: EK-FAC, with the empirical Fisher matrix so that nothing random differs."""

import logging
import tempfile

import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.task import Task
from torch import nn
from torch.nn import functional as F

from fading.derivatives.gradients import layer_projections
from fading.derivatives.layers import layers
from fading.influence.ekfac import fit, precondition
from fading.peers import Peer
from fading.peers.comparisons import Comparison, dataset, module_at

TREATED = (nn.Linear, nn.Conv2d)

PEER = Peer(
    compares={
        "ekfac": ("resnet", "bert"),
    },
)


def comparisons():
    return {
        "ekfac": Comparison(
            "kronfluence",
            "ekfac",
            _theirs,
            _ours,
            "Compared on linear and convolution layers: kronfluence silently leaves out the norms.",
        ),
    }


class Classification(Task):
    """Losses are summed over a batch: a mean would divide each captured gradient by the batch's size."""

    def compute_train_loss(self, batch, model, sample=False):
        *inputs, labels = batch
        return F.cross_entropy(model(*inputs), labels, reduction="sum")

    def compute_measurement(self, batch, model):
        return self.compute_train_loss(batch, model)


def _theirs(task):
    case = task.case
    classification = Classification()
    with tempfile.TemporaryDirectory() as folder:
        model = prepare_model(module_at(case, task.theta), classification)
        analyzer = Analyzer(
            "peer", model, classification, cpu=True, log_level=logging.ERROR, disable_tqdm=True, output_dir=folder
        )
        whole = {"covariance_max_examples": None, "lambda_max_examples": None}
        analyzer.fit_all_factors(
            "factors",
            dataset(case.train),
            per_device_batch_size=64,
            factor_args=FactorArguments(strategy="ekfac", use_empirical_fisher=True, **whole),
        )
        analyzer.compute_pairwise_scores(
            "scores",
            "factors",
            query_dataset=dataset(case.tested),
            train_dataset=dataset(case.train),
            per_device_query_batch_size=min(32, len(case.tested)),
            per_device_train_batch_size=64,
            score_args=ScoreArguments(damping_factor=task.damping),
        )
        scores = analyzer.load_pairwise_scores("scores")["all_modules"]
    return -scores.T.clone() / len(case.train)


def _ours(task):
    case, theta = task.case, task.theta
    parts = precondition(case, theta, fit(case, theta, case.train), task.damping, case.tested)
    for name, module in layers(case).items():
        if not isinstance(module, TREATED):
            parts[name] = torch.zeros_like(parts[name])
    return -layer_projections(case, theta, case.train, parts) / len(case.train)
