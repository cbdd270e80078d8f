"""The command `fading correct`: one mis-prediction, the examples that influence it, and what correcting it takes."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import pandas as pd
import torch
from matplotlib import pyplot as plt
from tqdm import tqdm

from fading.artefacts import pages, store  # noqa: F401, HTML
from fading.artefacts.job import ROOT, lineage, sources
from fading.data import Dataset, described
from fading.errors import FadingError
from fading.experiments.correction.gallery import gallery, with_text
from fading.experiments.correction.interventions import Correction, Trained, correct, treatment
from fading.experiments.correction.names import (
    ASCEND,
    CONTROLS,
    DESCEND,
    DROP,
    HARMFUL,
    HELPFUL,
    INTERVENTIONS,
    LABEL_NEIGHBOURS,
    NEIGHBOURS,
    RELABEL,
)
from fading.experiments.correction.rankings import Ranking, rankings
from fading.figures import style
from fading.figures.pictures import draw, explain
from fading.influence import ESTIMATORS
from fading.influence.problem import Problem
from fading.models import MODELS
from fading.models.case import Case, open_case
from fading.plan.closure import imports
from fading.report.correction import page
from fading.report.gallery import shown
from fading.training.optimizers import make_optimizer
from fading.training.order import batch_order
from fading.training.segment import batches, unpack_all

SHARE = 0.03  # of training's learning rate
ESTIMATOR = {LABEL_NEIGHBOURS: NEIGHBOURS}  # of a ranking that is made of another's scores
TRIED = (DESCEND, RELABEL, ASCEND, DROP)
RESULTS = ("corrected", "loss", "other predictions", "accuracy elsewhere")
LOOKS = (".html", ".css")  # of a page


@dataclass(frozen=True)
class Run:
    """A finished training run, opened from its checkpoints' own lineage."""

    files: dict[str, str]
    settings: dict
    arrays: dict
    dataset: Dataset
    case: Case
    checkpoints: dict[int, torch.Tensor]
    upcoming: list[torch.Tensor]

    @classmethod
    def open(cls, study: str, case: str, seed: int, steps: int) -> "Run":
        """A case's run in results/<study>, with the batches of `steps` more. Raises FadingError if there is none."""
        path = Path("results", study, case, f"seed-{seed}", "checkpoints.safetensors")
        if not path.is_file():
            kept = Path("results", study).glob(f"*/*/{path.name}")
            there = sorted({f"{run.parts[-3]} ({run.parts[-2]})" for run in kept})
            said = f"there are {', '.join(there)}" if there else f"results/{study} has none"
            raise FadingError(f"There is no checkpoint {path}: {said}; `snakemake train` makes those of a study.")
        made = store.lineage(path)
        files = {Path(file).stem: file for file in made["inputs"]} | {"checkpoints": str(path)}
        settings, arrays = made["settings"], store.read(files["examples"])
        opened, end = open_case(settings, arrays), settings["steps"]
        order, drawn = (store.lineage(files[name])["settings"] for name in ("batches", "examples"))
        upcoming = batches(batch_order(len(opened.train), order["batch_size"], end, end + steps, order["seed"]))
        checkpoints = unpack_all(opened, store.read(path))
        return cls(files, settings, arrays, described(drawn["dataset"]), opened, checkpoints, upcoming)

    def trained(self) -> Trained:
        """The model after training."""
        end, seed, others = self.settings["steps"], self.settings["seed"], len(self.case.test)
        return Trained(self.case, self.checkpoints[end], end, self.upcoming, others, seed)

    def ranking(self, target: int, by: str) -> Ranking:
        """The training examples ranked for a target by one of FROM_CHECKPOINTS."""
        problem = Problem(
            replace(self.case, test=self.case.test[target : target + 1], measured=1),
            checkpoints=self.checkpoints,
            step=self.settings["steps"],
            optimizer=make_optimizer(self.settings),
            examples=torch.arange(len(self.case.train)),
            seed=target,
            progress=lambda chunks: tqdm(chunks, desc=by, leave=False, disable=None),
        )
        estimator = ESTIMATOR.get(by, by)
        scores = ESTIMATORS.load(estimator).scores(problem).values[:, 0]
        return rankings(self.case, target, {estimator: scores})[by]

    def source(self) -> pd.DataFrame | None:
        """The dataset that the examples were drawn from; None where it is images."""
        if not self.dataset.sentences:
            return None
        (table,) = (file for file in store.lineage(self.files["examples"])["inputs"] if file.endswith(".parquet"))
        return store.read(table)


def report(
    study: str, case: str, seed: int, target: int, by: str, count: int, rate: float | None, steps: int
) -> Iterator[str]:
    """Lines that say what was predicted, which examples influence it, what correcting it took, and what else changed.

    The learning rate is a small share of training's unless it is given. A picture and a page of the same are written
    into the current folder. Raises FadingError if there is no such run or test example, or if it is predicted right.
    """
    torch.set_num_threads(1)
    run = Run.open(study, case, seed, steps)
    trained = run.trained()
    _check(trained, case, target, run.dataset.labels)
    began = perf_counter()
    ranking = run.ranking(target, by)
    seconds = {"ranking": perf_counter() - began}
    rows = with_text(gallery(trained, target, ranking, run.arrays, run.dataset.labels), run.source())
    rate = rate or float(f"{SHARE * run.settings['learning_rate']:.6g}")
    optimizer = make_optimizer(run.settings, rate)
    treatments = {
        intervention: treatment(trained, ranking, intervention, target, count, optimizer, steps)
        for intervention in TRIED
    }
    yield f"{case}, seed {seed}, test example {target}: predicted {rows.predicted[0]}, is {rows.label[0]}"
    yield from _quoted(rows.text[0])
    for kind, said in ((HELPFUL, "lower"), (HARMFUL, "raise")):
        meaning = "a baseline's score, without unit" if by in CONTROLS else f"more weight would {said} the loss"
        yield ""
        yield f"most {kind} training examples by {by} ({meaning})"
        for row in rows[rows.kind == kind].itertuples():
            yield f"  {row.index:>6}  {row.label:<10}  {row.score:+.3g}"
            yield from _quoted(row.text, "          ")
    yield ""
    how = f"{count} examples, η = {rate:g}, at most {steps} steps"
    yield how
    yield _columns("", RESULTS)
    done, results = {}, {}
    for intervention, treated in treatments.items():
        began = perf_counter()
        done[intervention] = correct(trained, target, treated, [steps])
        seconds[intervention] = perf_counter() - began
        results[INTERVENTIONS[intervention]] = _result(trained, target, done[intervention])
        yield _columns(INTERVENTIONS[intervention], results[INTERVENTIONS[intervention]])
    anew = seconds[DROP] / (len(done[DROP].losses) - 1) * trained.step  # it takes steps as training does
    spent = f"ranking took {seconds['ranking']:.1f} s, descending {seconds[DESCEND]:.2f} s"
    yield ""
    yield f"{spent}; training anew takes about {anew:.1f} s"
    path = f"correct-{study}-{case}-{seed}-{target}-{by}"
    wildcards = {"study": study, "case": case, "seed": str(seed), "test_index": str(target)}
    settings = {"by": by, "examples": count, "learning_rate": rate, "steps": steps}
    loaded = ESTIMATORS.source(ESTIMATOR.get(by, by)), MODELS.source(run.settings["model"]["kind"])
    code = [str(ROOT / "workflow/scripts" / file) for file in imports("fading/cli/correct.py", *loaded)]
    made = lineage("fading correct", wildcards, settings, list(run.files.values()), sources(code), 1)
    title = f"{case}, seed {seed}, test example {target}"
    picture = f"{path}.png"
    store.write(picture, _drawn(f"{title}, by {by}", done, rows, run.arrays), {**made, "path": picture})
    (shown_here,) = shown(rows.assign(case=case, test_index=target, method=by), {case: run.arrays})
    names = style.Names({name: one.label for name, one in ESTIMATORS.items()}, {}, {})
    words = {file.name: file.read_text() for file in (ROOT / "workflow/report").iterdir() if file.suffix in LOOKS}
    told = page(title, shown_here, how, RESULTS, results, Path(picture).read_bytes(), words, names)
    store.write(f"{path}.html", told, {**made, "path": f"{path}.html"})
    yield f"drawn in {picture}, told in {path}.html"


def _check(trained, case, target, names):
    tests, labels = len(trained.case.test), trained.case.test.labels
    if not 0 <= target < tests:
        raise FadingError(f"--test-index: found {target}; accepted is 0 to {tests - 1}, the test examples of {case}.")
    if trained.before[target] == labels[target]:
        wrong = (trained.before != labels).nonzero()[:5, 0].tolist()
        others = (
            f"predicted wrong are, for example, {', '.join(map(str, wrong))}" if wrong else "none is predicted wrong"
        )
        said = f"Test example {target} of {case} is already predicted right, as {names[labels[target]]}"
        raise FadingError(f"{said}; {others}.")


def _result(trained, target, correction):
    retention, change = trained.elsewhere(correction.thetas[max(correction.thetas)], target)
    others = trained.others - 1
    taken = "no" if correction.taken is None else f"after {correction.taken} step{'s' * (correction.taken > 1)}"
    loss = f"{correction.losses[0]:.2f} → {correction.losses[-1]:.2f}"
    return taken, loss, f"{round((1 - retention) * others)} of {others} changed", f"{100 * change:+.1f} points"


def _columns(name, cells):
    return f"  {name:<24}" + "".join(f"{cell:<{width}}" for cell, width in zip(cells, (16, 16, 20, 0), strict=True))


def _quoted(text, indent="  "):
    return textwrap.wrap(text, 110, initial_indent=indent, subsequent_indent=indent)


def _drawn(title: str, done: dict[str, Correction], rows: pd.DataFrame, arrays: dict):
    style.apply()
    sentences = (rows.text != "").any()
    figure = plt.figure(figsize=(style.WIDTH, 4))
    top, bottom = figure.subfigures(2, 1, height_ratios=[2, 1.2 if sentences else 0.9])
    axis = top.subplots()
    for intervention, correction in done.items():
        said = INTERVENTIONS[intervention] + (", corrected" if correction.taken else "")
        axis.plot(correction.losses, marker="o", ms=3, label=said)
    axis.set(xlabel="steps", ylabel="loss of the test example (nats)", title=title)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(fontsize=7)
    draw(bottom, rows, arrays)
    explain(figure)
    return figure
