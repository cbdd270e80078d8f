"""Does what describes itself say only what a plan can follow?"""

from functools import cache

from fading.errors import FadingError
from fading.experiments import EXPERIMENTS
from fading.influence import ESTIMATORS
from fading.plan.options import SHARED
from fading.plan.parts import PARTS
from fading.plan.plan import Plan
from fading.plan.wiring import SOURCES


@cache
def check_descriptions() -> None:
    """Raise FadingError, one sentence naming the file, for a description that names what there is not."""
    for name, estimator in ESTIMATORS.items():
        file = ESTIMATORS.source(name)
        _all_in(f"{file}: settings", estimator.settings, SHARED)
        for own, schema in estimator.own.items():
            if "default" not in schema:
                raise FadingError(f"{file}: own: {own} has no default, so that every case would have to give it.")
    tables = [table for experiment in EXPERIMENTS.values() for table in experiment.tables]
    for name, experiment in EXPERIMENTS.items():
        file = EXPERIMENTS.source(name)
        _all_in(f"{file}: of", [experiment.of], ["run", "regime"])
        _all_in(f"{file}: reads", experiment.reads.values(), SOURCES)
        _all_in(f"{file}: settings", [part for part in experiment.settings if "." not in part], PARTS)
        if experiment.needs and not callable(getattr(Plan, experiment.needs, None)):
            raise FadingError(
                f"{file}: needs: found {experiment.needs}; accepted is a method of fading.plan.plan.Plan."
            )
        for table in experiment.tables.values():
            if "mean" in table and not {"by", "scale"} <= table.keys():
                raise FadingError(f"{file}: tables: found a mean without by, its columns of keys, and scale.")
            _all_in(f"{file}: tables", table, ["output", "mean", "by", "scale", "function"])
        for drawn in experiment.figures.values():
            _all_in(f"{file}: figures", drawn, tables)


def _all_in(key, values, accepted):
    for value in values:
        if value not in accepted:
            raise FadingError(f"{key}: found {value}; accepted are {', '.join(accepted)}.")
