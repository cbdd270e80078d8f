"""Up-weight by several ε, both ways and in pairs, and see what first-order predictions leave over."""

from fading.assumptions.expansion import remainders, statistics
from fading.cases import open_case
from fading.job import Job
from fading.optimizers import optimizer
from fading.tables import located
from fading.training import batches, unpack

with Job(snakemake) as job:
    settings, drawn = job.settings, batches(job.read("order"))[: job.settings["steps"]]
    case, start, rule = open_case(settings, job.read("examples")), settings["from"], optimizer(settings)
    state = unpack(case, job.read("checkpoints"), start)
    examples = drawn[0][: settings["examples"]].tolist()
    frame = remainders(case, state, drawn, rule, examples, settings["epsilons"], start, job.progress)
    where = {"case": job.wildcards["case"], "regime": job.wildcards["regime"], "seed": job.seed}
    job.write("remainders", located(frame, **where))
    sharpness = job.read("changes")["theory.sharpness"].item()
    job.write("statistics", located(statistics(frame, settings["learning_rate"], sharpness), **where))
