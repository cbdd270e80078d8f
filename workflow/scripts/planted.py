"""Find planted errors by what influences the loss, mend what was found, and train on."""

from itertools import product

import pandas as pd
import torch
from fading.cases import open_case
from fading.job import Job
from fading.methods import EVERYTHING, REMEDIES
from fading.optimizers import optimizer
from fading.order import batch_order
from fading.planted import precisions, recovered, remedied, suspects, suspicions
from fading.tables import by_estimator, located
from fading.training import batches, unit_weights, unpack

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
    precision, recovery = [], []
    for method, suspicion in known.items():
        found = precisions(suspicion, planted).numpy()
        precision.append(pd.DataFrame({"method": method, "index": range(len(found)), "average_precision": found}))
    chosen = {name: suspects(one, planted.sum()) for name, one in known.items()}
    chosen[EVERYTHING] = planted.nonzero()[:, 0]
    nothing = recovered(case, state, start, upcoming, rule, case.train.labels, unit_weights(case))
    print(f"accuracy after training on with the errors: {nothing.mean():.3f}")
    for method, remedy in job.progress(list(product(chosen, REMEDIES))):
        labels, weights = remedied(case, remedy, chosen[method], true_labels)
        gain = (recovered(case, state, start, upcoming, rule, labels, weights) - nothing).numpy()
        recovery.append(pd.DataFrame({"method": method, "remedy": remedy, "index": range(len(gain)), "gain": gain}))
    where = {"case": job.wildcards["case"], "seed": job.seed}
    job.write("precision", located(pd.concat(precision, ignore_index=True), **where))
    job.write("recovery", located(pd.concat(recovery, ignore_index=True), **where))
