"""How often the intervals of each design hold the truth, simulated with the studies' own sizes.

Run as a script it writes the tables in docs/intervals.md; test_coverage.py fails where a coverage of the first of them
leaves 93 to 97 %.
"""

from collections.abc import Callable
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fading.evidence.correlations import spearman_by_example, spearman_pseudo_values
from fading.evidence.intervals import (
    Mean,
    correlation_scaled,
    fisher,
    jackknife_of_pairs,
    mean_of_crossed,
    mean_of_differences,
    mean_of_nested,
    mean_of_rows,
    mean_of_shares,
)

PAGE = Path(__file__).parents[2] / "docs/intervals.md"
BEGIN, END = "<!-- coverage: written by tests/evidence/coverage.py -->", "<!-- end of coverage -->"
TRIALS, SLOW = 2000, 800  # simulations; of what takes milliseconds each
EFFECTS = {"none": 0.0, "middling": 1.0, "dominant": 5.0}  # of a run, in standard deviations of its noise
LOW, HIGH = 0.93, 0.97


class Design(NamedTuple):
    """A design in use: where, and one draw of it: its mean and the truth, given a random generator and run effect."""

    used: str
    draw: Callable[[np.random.Generator, float], tuple[Mean, float]]
    effects: tuple[str, ...] = tuple(EFFECTS)
    trials: int = TRIALS


def runs(random, effect, count=5):
    """Runs with examples of their own: the mean of each is normal, whatever it is made of."""
    return mean_of_rows(effect * random.normal(size=count) + random.normal(size=count)), 0.0


def runs_and_tests(random, effect, rows=5, tests=64, shared=1.0):
    """Runs (or training examples) crossed with test examples that they share."""
    noise = random.normal(size=(rows, tests)) + shared * random.normal(size=tests)
    return mean_of_crossed(effect * random.normal(size=(rows, 1)) / np.sqrt(tests) + noise), 0.0


def correlated(random, effect, rows=5, examples=4, tests=64, about=0.76):
    """Correlations over shared test examples, of examples of each run; Fisher's z differs by run and example.

    Or over subsets of what is left out of one run, shared by its test examples, which are the rows.
    """
    values = _correlations(random, effect, rows, examples, tests, about)
    of_runs = np.repeat(np.arange(rows), examples)
    return correlation_scaled(mean_of_nested(fisher(values.reshape(-1, tests)), of_runs)), np.nan


def of_uses(random, effect, rows=5, uses=32, tests=12, about=0.76):
    """Correlations over shared test examples, of uses in each run, whose mean is the run's."""
    values = _correlations(random, effect, rows, uses, tests, about).mean(1)
    return correlation_scaled(mean_of_crossed(fisher(values))), np.nan


def _correlations(random, effect, rows, examples, tests, about):
    spread = effect / np.sqrt(examples * tests)
    z = np.arctanh(about) + spread * random.normal(size=(rows, 1)) + 0.1 * random.normal(size=(rows, examples))
    rho = np.tanh(z)[..., None]
    truth, other = (_half_shared(random, rows, examples, tests) for _ in range(2))
    return spearman_pseudo_values(truth, rho * truth + np.sqrt(1 - rho**2) * other)


def _half_shared(random, rows, examples, tests):
    return (random.normal(size=tests) + random.normal(size=(rows, examples, tests))) / np.sqrt(2)


def agreements(random, effect, examples=6, tests=64, about=0.76):
    """Correlations of examples of one run, a number each: over test examples that are given, not drawn with them."""
    rho = np.tanh(np.arctanh(about) + effect / np.sqrt(tests) * random.normal(size=(examples, 1)))
    truth, other = random.normal(size=(2, examples, tests))
    values = spearman_by_example(truth, rho * truth + np.sqrt(1 - rho**2) * other)
    return correlation_scaled(mean_of_crossed(fisher(values[:, None]))), np.nan


def pairs_of_runs(random, effect, rows=5, tests=64):
    """All pairs of runs, each pair's value by test example."""
    own, shared = effect * random.normal(size=(rows, 1)) / np.sqrt(tests), random.normal(size=tests)
    pairs = list(combinations(range(rows), 2))
    by_run = random.normal(size=(rows, tests))
    values = np.stack([own[a] + own[b] + by_run[a] * by_run[b] + shared for a, b in pairs])
    return mean_of_crossed(jackknife_of_pairs(values, pairs)), 0.0


def successes(random, effect, rows=5, targets=4, share=None):
    """Trials of runs that succeed with a probability of their own, about a share that is given or drawn."""
    truth = random.uniform(0.05, 0.95) if share is None else share
    return mean_of_shares(list(_trials(random, truth, effect, rows, targets))), truth


def differences(random, effect, rows=5, targets=4, shares=None):
    """The same of two methods, each with probabilities of its own."""
    first, second = random.uniform(0.05, 0.95, 2) if shares is None else shares
    trials = _trials(random, first, effect, rows, targets) - _trials(random, second, effect, rows, targets)
    return mean_of_differences(list(trials)), first - second


def _trials(random, share, effect, rows, targets):
    chances = np.full(rows, share)
    if effect:  # beta-binomial, trials of a run correlate by effect² / (effect² + targets)
        alike = effect**2 / (effect**2 + targets)
        chances = random.beta(*(np.array([share, 1 - share]) * (1 / alike - 1)), size=rows)
    return (random.random((rows, targets)) < chances[:, None]).astype(float)


def pairs_of_examples(random, effect, count=3):
    """All pairs of examples of one run."""
    own, pairs = effect * random.normal(size=count), list(combinations(range(count), 2))
    noise = random.normal(size=(2, count))  # of either example of a pair, by the other's
    values = [own[a] + own[b] + noise[0, a] * noise[0, b] + noise[1, a] * noise[1, b] for a, b in pairs]
    return mean_of_rows(jackknife_of_pairs(np.array(values)[:, None], pairs)[:, 0]), 0.0


OF_RUNS, OF_SUBSETS = "3 runs × 10 examples × 64 test examples", "12 test examples of one run"
TRIALS_OF_RUNS, DIFFERENCES = "40 trials of 5 runs", "40 differences of 5 runs"
FIFTY, TWENTY = "`removal` in the ResNet of 3,000 images, BERT by AdamW", "`removal` in BERT, the ReLU ResNet"
ENDS = ("none", "dominant")
NEAR_ONE = (0.95, 0.99, 0.999)


def of_examples(count: int, about: float, used: str) -> dict[str, Design]:
    """Correlations of so many examples of one run over 64 test examples."""
    draw = partial(correlated, rows=count, examples=1, about=about)
    name = f"{count} examples of one run × 64 test examples, ρ = {about}"
    return {name: Design(used, draw, ENDS, SLOW if count < 20 else TRIALS)}


def of_subsets(subsets: int, about: float, used: str) -> dict[str, Design]:
    """Correlations of one run's test examples over so many subsets."""
    draw = partial(correlated, rows=12, examples=1, tests=subsets, about=about)
    name = f"{OF_SUBSETS} × {subsets} subsets, ρ = {about}"
    return {name: Design(used, draw, ENDS, TRIALS if subsets < 50 else SLOW)}


def of_checks(tests: int, about: float, used: str) -> dict[str, Design]:
    """Correlations of one use of each of five runs over so many test examples."""
    draw = partial(correlated, examples=1, tests=tests, about=about)
    return {f"5 runs × {tests} test examples, ρ = {about}": Design(used, draw, ENDS, SLOW)}


DESIGNS = {
    "5 runs": Design("`convexity-summary`, `memory-half-life`, retention in `correction`", runs),
    "3 runs": Design("`divergence-summary`, `planted`, `halved` in `fading-drop`", partial(runs, count=3)),
    "5 runs × 32 test examples": Design("`memory-drop`, `memory-gain`", partial(runs_and_tests, tests=32)),
    "5 runs × 12 test examples": Design("`memory-drop`, `memory-gain` in BERT", partial(runs_and_tests, tests=12)),
    "5 runs × 936 test examples": Design(
        "the default study's `planted-recovery`", partial(runs_and_tests, tests=936), ENDS, SLOW
    ),
    "3 runs × 936 test examples": Design("`planted-recovery`", partial(runs_and_tests, rows=3, tests=936), ENDS, SLOW),
    **{
        f"5 runs × 32 uses × 12 test examples, ρ = {about}": Design(
            "`memory`", partial(of_uses, about=about), ENDS, SLOW
        )
        for about in (0.3, 0.76, 0.95)
    },
    "3 runs × 32 uses × 12 test examples, ρ = 0.76": Design(
        "`memory` beyond calm training and by AdamW", partial(of_uses, rows=3), ENDS, SLOW
    ),
    "3 runs × 32 uses × 32 test examples, ρ = 0.76": Design(
        "`memory` in the ResNet of width 32", partial(of_uses, rows=3, tests=32), ENDS, SLOW
    ),
    "32 uses × 12 test examples of one run, ρ = 0.76": Design(
        "`memory` of one run", partial(of_uses, rows=1), ("none",), SLOW
    ),
    "12 test examples of one run": Design(
        "`memory-drop`, `memory-gain` of one run", partial(runs_and_tests, rows=1, tests=12), ("none",)
    ),
    **of_checks(32, 0.99, "`memory-checks` in the ResNets"),
    **of_checks(32, 0.999, "`memory-checks` in the ResNets"),
    "5 runs by pairs × 64 test examples": Design("`trajectory`, two seeds", pairs_of_runs),
    "64 test examples of one run": Design(
        "`trajectory`, half-way and orders", lambda random, _: runs_and_tests(random, 0.0, rows=1), ("none",)
    ),
    f"{DIFFERENCES}, .6 − .5": Design("`correction-paired`", partial(differences, targets=8, shares=(0.6, 0.5))),
    "20 trials of 5 runs, share .5": Design("the default study's `correction`", partial(successes, share=0.5)),
    "20 differences of 5 runs, .6 − .5": Design(
        "the default study's `correction-paired`", partial(differences, shares=(0.6, 0.5))
    ),
    **of_examples(24, 0.3, "`remedies`, `loo-summary` in the ResNet of 3,000 images"),
    **of_examples(24, 0.99, "`remedies`, `loo-summary` in the ResNet of 3,000 images"),
    **of_examples(20, 0.76, "`loo-summary` in BERT"),
    **{
        name: design
        for about in (0.76, *NEAR_ONE)
        for name, design in of_examples(6, about, "`remedies` in BERT, the default study's `loo-summary`").items()
    },
    **of_examples(5, 0.76, "`loo-summary`, groups in BERT"),
    **of_examples(4, 0.76, "`remedies` in the ResNet"),
    "24 examples of one run, ρ = 0.76": Design("agreement in `stability-summary`", partial(agreements, examples=24)),
    "6 examples of one run, ρ = 0.76": Design("agreement in `stability-summary`, BERT", agreements),
    "6 examples of one run, ρ = 0.99": Design(
        "agreement in `stability-summary`, BERT", partial(agreements, about=0.99)
    ),
    "24 single trials of one run": Design(
        "shares in `stability-summary`", partial(successes, rows=24, targets=1), ("none",)
    ),
    "10 examples of one run": Design("`expansion-summary`", partial(runs, count=10)),
    "3 examples of one run": Design("the default study's `expansion-summary`", partial(runs, count=3), ENDS, SLOW),
    **{name: design for about in (0.3, 0.76, 0.95) for name, design in of_subsets(50, about, FIFTY).items()},
    **of_subsets(20, 0.3, TWENTY),
    **of_subsets(20, 0.76, TWENTY),
    f"{OF_SUBSETS} × 20 subsets": Design("`removal-gain`", partial(runs_and_tests, rows=12, tests=20), ENDS),
    "64 test examples of one run × 20 subsets": Design(
        "`removal-size`", partial(runs_and_tests, rows=64, tests=20), ENDS
    ),
}
OTHERS = {
    TRIALS_OF_RUNS: Design("`correction`", partial(successes, targets=8)),
    **{
        f"{TRIALS_OF_RUNS}, share {name}": Design("`correction`", partial(successes, targets=8, share=share))
        for name, share in {".5": 0.5, ".9": 0.9, ".95": 0.95}.items()
    },
    DIFFERENCES: Design("`correction-paired`", partial(differences, targets=8)),
    **{
        f"{DIFFERENCES}, {name}": Design("`correction-paired`", partial(differences, targets=8, shares=shares))
        for name, shares in {
            ".8 − .6": (0.8, 0.6),
            ".8 − .5": (0.8, 0.5),
            ".95 − .6": (0.95, 0.6),
            ".95 − .95": (0.95, 0.95),
        }.items()
    },
    "6 single trials of one run": Design(
        "`removal-flips`, the default study's `stability-summary`", partial(successes, rows=6, targets=1), ("none",)
    ),
    "50 examples of one run × 12 test examples, ρ = 0.95": Design(
        "`loo-summary`, truth of the first order",
        partial(correlated, rows=50, examples=1, tests=12, about=0.95),
        ENDS,
        SLOW,
    ),
    **of_examples(3, 0.76, "`loo-summary`, groups in the ResNet of 3,000 images"),
    **of_subsets(20, 0.95, TWENTY),
    **of_subsets(10, 0.76, "the default study's `removal`"),
    **of_checks(12, 0.99, "`memory-checks` in BERT"),
    **of_checks(12, 0.999, "`memory-checks` in BERT"),
    **{
        f"3 runs × {tests} test examples": Design(
            "`memory-drop`, `memory-gain` of three runs", partial(runs_and_tests, rows=3, tests=tests)
        )
        for tests in (12, 32)
    },
    "3 runs × 64 test examples": Design("`fading-drop`, `decomposition`", partial(runs_and_tests, rows=3)),
    **{
        f"3 runs × 4 examples × 64 test examples, ρ = {about}": Design(
            "the default study's `fading-summary`", partial(correlated, rows=3, about=about), ENDS, SLOW
        )
        for about in (0.76, 0.95)
    },
    **{
        f"{OF_RUNS}, ρ = {about}": Design(
            "`fading-summary`", partial(correlated, rows=3, examples=10, about=about), ENDS, SLOW
        )
        for about in (0.76, *NEAR_ONE)
    },
    "12 trials of 3 runs": Design("the default study's `correction` in BERT", partial(successes, rows=3, targets=4)),
    "10 examples of one run by pairs": Design(
        "`nonadditivity` in `expansion-summary`", partial(pairs_of_examples, count=10)
    ),
}


@cache
def coverage(design: Design, effect: str) -> dict[str, float]:
    """The share of simulations whose interval holds the truth, and whose one-sided bounds do: no interval misses none.

    The truth of a correlation over so many test examples is the mean of many of its estimates.
    """
    random = np.random.default_rng(0)
    drawn = [design.draw(random, EFFECTS[effect]) for _ in range(design.trials)]
    means, truths = [mean for mean, _ in drawn], np.array([truth for _, truth in drawn])
    if np.isnan(truths).all():
        truths[:] = np.tanh(np.mean([np.arctanh(mean.value) for mean in means]))
    (low, high), (lower, upper) = (np.transpose([mean.ends(level) for mean in means]) for level in (0.95, 0.9))
    missed = {
        "two-sided": (truths < low) | (high < truths),
        "at least": truths < lower,
        "at most": upper < truths,
    }
    return {side: float(1 - misses.mean()) for side, misses in missed.items()}


def section() -> str:
    """The coverages in Markdown, of the designs that hold what they say and of others."""
    return f"{_table(DESIGNS)}\n\n{_table(OTHERS)}"


def _table(designs):
    lines = [f"| design | used by | {' | '.join(EFFECTS)} |", "| --- " * (2 + len(EFFECTS)) + "|"]
    for name, design in designs.items():
        shares = [coverage(design, effect) if effect in design.effects else {} for effect in EFFECTS]
        cells = (" / ".join(f"{100 * share:.1f}" for share in held.values()) for held in shares)
        lines.append(f"| {' | '.join([name, design.used, *cells])} |")
    return "\n".join(lines)


def with_section(page: str) -> str:
    """The page with its coverages made anew."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{section()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_section(PAGE.read_text()))
