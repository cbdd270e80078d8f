"""Continue training from a checkpoint, nothing changed: what counterfactuals are compared with."""

from fading.cases import open_case
from fading.counterfactuals import record
from fading.job import Job
from fading.training import batches, unit_weights, unpack

with Job(snakemake) as job:
    settings = job.settings
    case = open_case(settings, job.read("examples"))
    theta = unpack(case, job.read("checkpoints"), settings["from"])
    steps = job.progress(batches(job.read("order"), settings["from"], settings["from"] + settings["steps"][-1]))
    thetas, losses = record(case, theta, steps, settings["learning_rate"], unit_weights(case), settings["steps"])
    job.write("baseline", {"theta": thetas.numpy(), "losses": losses.numpy()})
