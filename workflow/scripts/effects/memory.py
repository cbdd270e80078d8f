"""Follow losses back through training, and compare what each use of each example did with what was predicted of it."""

from dataclasses import replace

import pandas as pd
import torch
from fading.artefacts.job import Job
from fading.derivatives.lanczos import Ritz
from fading.evidence.tables import located
from fading.experiments.effects import by_place
from fading.experiments.memory import OWN, SETTING
from fading.experiments.remembered import effects_by_age, retrained_uses
from fading.models.case import open_case
from fading.training.optimizers import make_optimizer
from fading.training.order import batch_order
from fading.training.segment import Segment, batches, unpack

with Job(snakemake) as job:
    settings, fork, arrays = job.settings, job.settings["from"], job.read("examples")
    case, precise = open_case(settings, arrays), open_case({**settings, "model": settings["precise"]}, arrays)
    state, ritz = unpack(case, job.read("checkpoints"), fork), Ritz.from_arrays(job.read("spectrum"))
    tested, ages = case.tested[: settings["tests"]], settings["ages"]
    scored = zip(settings["estimators"], job.read("scores"), strict=True)
    count = len(case.train)
    scores = {
        name: torch.as_tensor(by_place(arrays, count, arrays["examples"]))[:, : len(tested)] for name, arrays in scored
    }

    def measured(stretch):
        read = [fork + max(ages) + number * settings["spacing"] for number in range(settings["readings"])]
        order = batches(batch_order(len(case.train), stretch["batch_size"], fork, read[-1], settings["order"]))
        segment = Segment(case, state, order, make_optimizer(settings, stretch["learning_rate"]), fork)
        setting = {name: stretch[name] for name in SETTING if name in stretch}
        where = {"case": job.wildcards["case"], **setting, "seed": settings["seed"]}
        told = scores if stretch["changed"] == OWN else {}
        frame, firsts = effects_by_age(segment, tested, read, ages, ritz, told, job.progress)
        found = {"ages": located(frame, **where)}
        if stretch["changed"] == OWN:
            again = replace(segment, case=precise, state=state.double())
            checked = {age: firsts[read[-1] - age] for age in settings["checked"]}
            found["checks"] = located(retrained_uses(again, checked, read[-1]), **where)
        return found

    stretches = enumerate(settings["stretches"])
    found = [job.once(f"stretch-{number}", measured, stretch) for number, stretch in stretches]
    for table in ("ages", "checks"):
        job.write(table, pd.concat([tables[table] for tables in found if table in tables], ignore_index=True))
