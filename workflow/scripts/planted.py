"""Find planted errors by what influences the loss, mend what was found, and train on."""

from itertools import product

import pandas as pd
import torch
from fading.cases import open_case
from fading.job import Job
from fading.methods import EVERYTHING, NOTHING, RANDOM, REMEDIES
from fading.optimizers import optimizer
from fading.order import batch_order
from fading.planted import pseudo_values, recovered, remedied, suspects, suspicions
from fading.tables import by_estimator, located
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, examples = job.settings, job.read("examples")
    case, start = open_case(settings, examples), settings["from"]
    stop, rule = start + settings["recovery"], optimizer(settings)
    upcoming = batches(batch_order(len(case.train), settings["batch_size"], start, stop, job.order_seed))
    state = unpack(case, job.read("checkpoints"), start)
    true_labels = torch.from_numpy(examples["train_true_labels"])
    planted = case.train.labels != true_labels
    found = by_estimator(job.read("scores"))
    scores = {name: torch.from_numpy(found[name]["scores"]) for name in settings["estimators"]}
    known = suspicions(case, state[0], scores, job.seed)
    precision, recovery, hits = [], [], {}
    for method, suspicion in known.items():
        values = pseudo_values(suspicion, planted)
        precision.append(pd.DataFrame({"method": method, "index": range(len(values)), "average_precision": values}))
    chosen = {name: suspects(one, planted.sum()) for name, one in known.items()}
    chosen |= {EVERYTHING: planted.nonzero()[:, 0], NOTHING: torch.arange(0)}
    for method, remedy in job.progress(list(product(chosen, REMEDIES))):
        labels, weights = remedied(case, remedy, chosen[method], true_labels)
        hits[method, remedy] = recovered(case, state, start, upcoming, rule, labels, weights).numpy()
        print(f"{method}, {remedy}: accuracy {hits[method, remedy].mean():.3f}")
    for (method, remedy), over in product(hits, (NOTHING, RANDOM)):
        gain = hits[method, remedy] - hits[over, remedy]
        columns = {"method": method, "remedy": remedy, "over": over, "index": range(len(gain)), "gain": gain}
        recovery.append(pd.DataFrame(columns))
    where = {"case": job.wildcards["case"], "seed": job.seed}
    job.write("precision", located(pd.concat(precision, ignore_index=True), **where))
    job.write("recovery", located(pd.concat(recovery, ignore_index=True), **where))
