"""Up-weight by several ε, both ways and in pairs, and see what first-order predictions leave over."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.expansion import remainder_statistics, remainders
from fading.models.case import open_case
from fading.training.candidates import within_reach
from fading.training.optimizers import make_optimizer
from fading.training.segment import Segment, batches, unpack

with Job(snakemake) as job:
    settings = job.settings
    case, fork = open_case(settings, job.read("examples")), settings["from"]
    state, steps = unpack(case, job.read("checkpoints"), fork), batches(job.read("order"))[: settings["steps"]]
    segment = Segment(case, state, steps, make_optimizer(settings), fork)
    examples = within_reach(case, state[0], segment.batches[0])[: settings["examples"]]
    frame = remainders(segment, examples, settings["epsilons"], settings["seed"], job.progress)
    where = {"case": job.wildcards["case"], "regime": job.wildcards["regime"], "seed": settings["seed"]}
    job.write("remainders", located(frame, **where))
    statistics = remainder_statistics(frame, job.read("path"), settings["learning_rate"])
    job.write("statistics", located(statistics, **where))
