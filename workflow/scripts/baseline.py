"""Continue training from a checkpoint, nothing changed: what counterfactuals are compared with."""

from fading.cases import open_case
from fading.counterfactuals import record
from fading.job import Job
from fading.training import batches, unit_weights, unpack

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    start = settings["from"]
    theta = unpack(case, job.read("checkpoints"), start)
    drawn = job.progress(batches(job.read("order")))
    rate = settings["learning_rate"]
    thetas, losses = record(case, theta, drawn, rate, unit_weights(case), settings["steps"], start)
    job.write("baseline", {"theta": thetas.numpy(), "losses": losses.numpy()})
