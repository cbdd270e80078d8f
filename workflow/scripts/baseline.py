"""Continue training from a checkpoint, nothing changed: what counterfactuals are compared with."""

from fading.cases import open_case
from fading.counterfactuals import record
from fading.job import Job
from fading.optimizers import optimizer
from fading.training import batches, unit_weights, unpack

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    start = settings["from"]
    state = unpack(case, job.read("checkpoints"), start)
    drawn = job.progress(batches(job.read("order")))
    thetas, losses = record(case, state, drawn, optimizer(settings), unit_weights(case), settings["steps"], start)
    job.write("baseline", {"theta": thetas.numpy(), "losses": losses.numpy()})
