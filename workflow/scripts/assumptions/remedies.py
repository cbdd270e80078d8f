"""Compare influence by each kind of curvature and damping with two truths, and noise in its place."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.effects import PROXIMAL, RETRAINING, stack
from fading.experiments.remedies import remedies

with Job(snakemake) as job:
    truths = {
        RETRAINING: stack(job.read("changes"), ["loss_change", "members", "epsilon"]),
        PROXIMAL: job.read("proximal"),
    }
    stand_ins = dict(zip(job.settings["stand_ins"], job.read("stand_ins"), strict=True))
    frame = remedies(job.read("solutions"), truths, stand_ins)
    job.write("remedies", located(frame, case=job.wildcards["case"], seed=job.settings["seed"]))
