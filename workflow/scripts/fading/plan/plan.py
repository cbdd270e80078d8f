"""A study's configuration and what follows from it for all stages."""

import json
from functools import cached_property
from pathlib import Path

from fading.artefacts.job import ROOT
from fading.data import Dataset, described
from fading.experiments import EXPERIMENTS
from fading.experiments.correction.names import NEIGHBOURS, RANDOM
from fading.influence import ESTIMATORS
from fading.models import MODELS, Model
from fading.plan.checks import check, rankers
from fading.plan.claims import check_claims, placed, stood_on
from fading.plan.options import curvature_examples, options
from fading.plan.reading import read
from fading.training.counterfactuals import left_out, up_weighted

RUNNING = ("device", "budget")  # keys that say how a study runs, and are none of its own
PLANTED = "correction.planted"  # lists cases beside the study's
REMOVALS = 25  # parts of the training set left out per job
CHUNK = 8  # counterfactuals per job: long enough to be worth a process, short enough to share two cores


class Plan:
    """A configuration and the claims of config/claims.yaml, checked.

    Raises FadingError, one sentence naming the key, what was found and what is accepted, if a study can't run so.
    """

    def __init__(self, config: dict, claims: list[dict]):
        check(config)
        check_claims(claims, config)
        self.config = json.loads(json.dumps(config, sort_keys=True))  # reordering keys must change no settings
        self.every_claim = placed(claims, config["cases"])

    @property
    def cases(self) -> list[str]:
        """The study's cases."""
        return self.config["cases"]

    def cases_of(self, key: str | None) -> list[str]:
        """The cases in the list at a key such as correction.cases, of those that the study runs; without a key, all."""
        if key is None:
            return self.cases
        return [case for case in self.at_key(key) if case in self.cases or key == PLANTED]

    def cases_of_experiment(self, experiment: str) -> list[str]:
        """The cases that an experiment is of."""
        described = EXPERIMENTS[experiment]
        cases, needs = self.cases_of(described.cases), described.needs
        return [case for case in cases if needs is None or getattr(self, needs)(case)]

    @property
    def running(self) -> list[str]:
        """Every case of which there are runs: the study's, those with planted errors, and peers' on request."""
        beside = (case for key in (PLANTED, "peers.cases") for case in self.at_key(key))
        return list(dict.fromkeys([*self.cases, *beside]))

    def at_key(self, key: str):
        """What the configuration has at a key such as spectrum.examples."""
        section, name = key.split(".")
        return self.config[section][name]

    def definition(self, case: str) -> dict:
        """What the configuration says of a case."""
        return self.config["definitions"][case]

    def dataset(self, case: str) -> Dataset:
        """The description of its data."""
        return described(self.definition(case)["dataset"])

    def model(self, case: str) -> Model:
        """The description of its model."""
        return MODELS[self.definition(case)["model"]["kind"]]

    def encoder(self, case: str) -> str | None:
        """The pre-trained weights that encode its examples, if any do; word pieces are the checkpoint's tokenizer's."""
        return None if self.model(case).takes == "word-pieces" else self.dataset(case).weights

    def checkpoint(self, case: str) -> str | dict | None:
        """The pre-trained weights that its training starts from, by name or the user's own, if there are any."""
        return self.definition(case)["model"].get("checkpoint", self.model(case).weights)

    def seeds(self, case: str) -> list[int]:
        """The study's seeds with which the case runs."""
        return self.config["seeds"][: self.definition(case).get("seeds")]

    def runs(self, case: str, first_alone: bool = False) -> list[str]:
        """The names of a case's runs, one per seed."""
        return [str(seed) for seed in self.seeds(case)[: 1 if first_alone else None]]

    def another_order(self, seed: int) -> str:
        """The name of a run that starts as the seed's and draws its batches in the order of the next seed."""
        return f"{seed}-order-{seed + 1}"

    @cached_property
    def seeds_of_runs(self) -> dict[str, dict[str, int]]:
        """The seed of each run, and the seed of the order in which it draws its batches, by the run's name."""
        seeds = self.config["seeds"]
        own = {str(seed): {"seed": seed, "order": seed} for seed in seeds}
        return own | {self.another_order(seed): {"seed": seed, "order": seed + 1} for seed in seeds}

    def regimes(self, case: str) -> dict[str, dict]:
        """The case's regimes, by name."""
        return {regime["name"]: regime for regime in self.definition(case)["regimes"]}

    def regimes_of(self, case: str, run: str) -> list[str]:
        """The names of those that the run goes on in."""
        earlier = self.runs(case).index(run) if run in self.runs(case) else 0
        return [name for name, regime in self.regimes(case).items() if earlier < regime.get("seeds", earlier + 1)]

    def end(self, case: str) -> int:
        """The last step of training."""
        return self.definition(case)["training"]["steps"]

    def along_training(self, case: str) -> list[int]:
        """The first checkpoint, the one nearest to half-way, and the last."""
        first, *between, last = self.definition(case)["training"]["checkpoints"]
        return [first, min(between, key=lambda step: abs(2 * step - last)), last]

    def steps_of_spectra(self, case: str, run: str) -> list[int]:
        """The steps along a run's training at which its spectrum is looked at: of all but the first run, the end."""
        return self.along_training(case) if run in self.runs(case, first_alone=True) else [self.end(case)]

    def stand_ins(self, case: str) -> list[str]:
        """The case's estimators that know nothing of the loss: noise in the place of curvature."""
        return [name for name in (RANDOM, NEIGHBOURS) if name in self.estimators(case)]

    def estimators(self, case: str) -> list[str]:
        """The case's estimators."""
        return self.definition(case)["estimators"]

    def ladder(self, case: str) -> list[str]:
        """The same, and those that score the first run alone, for what leaving out parts of the training set does."""
        return [*self.estimators(case), *self.definition(case).get("removal", {}).get("estimators", [])]

    def rankers(self, case: str) -> list[str]:
        """Of these, those that score every training example for what follows a checkpoint."""
        return rankers(self.definition(case))

    def forward_estimators(self, case: str) -> list[str]:
        """Of these, those that say something of what follows a checkpoint."""
        return [name for name in self.estimators(case) if not ESTIMATORS[name].of_the_past]

    def whole_run_estimator(self, case: str) -> str | None:
        """The case's estimator that is the exact first order along the whole run, if it has one."""
        exact = (name for name in self.estimators(case) if ESTIMATORS[name].replays)
        return next((name for name in exact if self.options(case, name).get("window") == self.end(case)), None)

    def leaves_out(self, case: str) -> bool:
        """Whether it is retrained with examples left out."""
        return "leave_one_out" in self.definition(case)

    def options(self, case: str, estimator: str) -> dict:
        """The settings of an estimator of the case."""
        return options(self.config, self.definition(case), estimator)

    def curvature_examples(self, case: str) -> int:
        """Over how many training examples, the first of them, all curvature of the case is the mean."""
        return curvature_examples(self.config, self.definition(case))

    def retraining_chunks(self, case: str) -> range:
        """The jobs among which retraining with examples left out is shared."""
        left, examples = self.definition(case)["leave_one_out"], self.definition(case)["examples"]["train"]
        return _chunks(left_out(range(examples), left["count"], left["twice"], left["size"]))

    def removal_chunks(self, case: str, run: str) -> range:
        """The jobs among which retraining with parts of the training set left out is shared; one more is the noise."""
        number = self.removals(case, run) * len(self.config["removal"]["shares"])
        return range(-(-(1 + number) // REMOVALS))

    def removals(self, case: str, run: str) -> int:
        """How many parts of each size are left out of a run, of the first more than of those that do it again."""
        subsets = self.definition(case)["removal"]
        return subsets["subsets" if run in self.runs(case, first_alone=True) else "again"]

    def removed_again(self, case: str) -> list[tuple[str, str, int]]:
        """The runs in which the same parts are left out again, if any: what is other there, its name, its jobs."""
        first, *others = self.runs(case)
        if not self.definition(case)["removal"]["again"]:
            return []
        runs = {"another order": self.another_order(int(first))} | ({"another seed": others[0]} if others else {})
        return [(what, run, chunk) for what, run in runs.items() for chunk in self.removal_chunks(case, run)]

    def up_weighting_chunks(self, case: str) -> range:
        """The jobs among which a regime's up-weightings are shared."""
        examples = self.definition(case)["up_weighting"]["examples"]
        return _chunks(up_weighted(range(examples), examples, 1))

    @property
    def claims(self) -> list[dict]:
        """The claims that the study judges, and those that these stand on."""
        if self.config["claims"] == "all":
            return self.every_claim
        judged = stood_on(self.every_claim, self.config["claims"])
        return [claim for claim in self.every_claim if claim["claim"] in judged]

    @property
    def claimed_tables(self) -> list[str]:
        """The tables that these are on and that experiments make, in the claims' order."""
        return [name for name in dict.fromkeys(claim["table"] for claim in self.claims) if name in self.tables]

    @cached_property
    def tables(self) -> dict[str, str]:
        """The public tables that experiments make, with the experiment of each."""
        return {table: name for name in self.experiments for table in EXPERIMENTS[name].tables}

    @cached_property
    def experiments(self) -> list[str]:
        """Those that are of any case of the study."""
        return [name for name in EXPERIMENTS if self.cases_of_experiment(name)]

    @cached_property
    def topics(self) -> dict[str, str]:
        """The figures that experiments make, with the experiment of each."""
        return {topic: name for name in self.experiments for topic in EXPERIMENTS[name].figures}

    @property
    def pictured(self) -> list[str]:
        """The cases whose examples figures show."""
        shown = (self.cases_of_experiment(name) for name in self.experiments if EXPERIMENTS[name].pictures)
        return list(dict.fromkeys(case for cases in shown for case in cases))

    def summarisers(self, table: str) -> list[str]:
        """The library's files, if any, with the function that makes a table of its frames."""
        function = EXPERIMENTS[self.tables[table]].tables[table].get("function") if table in self.tables else None
        return [f"fading/{function.rpartition('.')[0].replace('.', '/')}.py"] if function else []


def read_plan(root: Path, configfile: str) -> Plan:
    """The plan of a study whose configuration is laid over config/config.yaml, as Snakemake lays it."""
    files = dict.fromkeys(["config/config.yaml", configfile])
    config: dict = {}
    for file in files:
        config = laid_over(config, read(root / file))
    studied = {key: value for key, value in config.items() if key not in RUNNING}
    return Plan(studied, read(workflow_of(root) / "config/claims.yaml"))


def workflow_of(root: Path) -> Path:
    """The folder of the workflow that made a study: its root, or where this library is, if it was another's module."""
    return root if (root / "workflow/scripts/fading").is_dir() else ROOT


def laid_over(below, above):
    """Mappings key by key; anything else is replaced."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: laid_over(below.get(key), value) for key, value in above.items()}


def _chunks(counterfactuals):
    return range(-(-len(counterfactuals) // CHUNK))
