"""Find planted errors by what influences the loss, mend what was found, and train on."""

from itertools import product

import pandas as pd
import torch
from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.correction.names import EVERYTHING, NOTHING, RANDOM, REMEDIES
from fading.experiments.correction.planted import average_precision, recovered, remedied, suspects, suspicions
from fading.models.case import open_case
from fading.training.optimizers import make_optimizer
from fading.training.order import batch_order
from fading.training.segment import Segment, batches, unpack

with Job(snakemake) as job:
    settings, examples = job.settings, job.read("examples")
    case, start = open_case(settings, examples), settings["from"]
    stop, state = start + settings["recovery"], unpack(case, job.read("checkpoints"), start)
    upcoming = batches(batch_order(len(case.train), settings["batch_size"], start, stop, settings["seed"]))
    onwards = Segment(case, state, upcoming, make_optimizer(settings), start)
    true_labels = torch.as_tensor(examples["train_labels"])
    planted = case.train.labels != true_labels
    scored = zip(settings["estimators"], job.read("scores"), strict=True)
    scores = {name: torch.as_tensor(arrays["scores"]) for name, arrays in scored}
    suspicion_by_method = suspicions(case, state[0], scores, settings["seed"])
    precision = {method: average_precision(suspicion, planted) for method, suspicion in suspicion_by_method.items()}
    recovery, hits = [], {}
    suspected = {name: suspects(suspicion, planted.sum()) for name, suspicion in suspicion_by_method.items()}
    suspected |= {EVERYTHING: planted.nonzero()[:, 0], NOTHING: torch.arange(0)}
    for method, remedy in job.progress(list(product(suspected, REMEDIES))):
        treated = remedied(case, remedy, suspected[method], true_labels)
        hits[method, remedy] = recovered(onwards, *treated).numpy(force=True)
        print(f"{method}, {remedy}: accuracy {hits[method, remedy].mean():.3f}")
    for (method, remedy), against in product(hits, (NOTHING, RANDOM)):
        gain = hits[method, remedy] - hits[against, remedy]
        columns = {"method": method, "remedy": remedy, "against": against, "test_index": range(len(gain)), "gain": gain}
        recovery.append(pd.DataFrame(columns))
    where = {"case": job.wildcards["case"], "seed": settings["seed"]}
    by_method = pd.DataFrame(precision.items(), columns=["method", "average_precision"])
    job.write("precision", located(by_method, **where))
    job.write("recovery", located(pd.concat(recovery, ignore_index=True), **where))
