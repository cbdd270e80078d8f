"""The question that an influence estimator answers (problem), and the estimators, a file each.

Here belongs what turns a trained model into scores. Comparing scores with what retraining shows does not: that is an
experiment.

An estimator's file exports

    ESTIMATOR                       its description
    scores(problem, **settings)     Scores; settings are those that the description names

Entry (k, z) of the scores predicts dΔ/dε: how the loss of measured test example z changes, in nats, per unit by which
training example k is up-weighted in every step that draws it. Positive is harmful, negative helpful. Those that only
rank (gradient cosine, nearest neighbours, random) have that sign and no unit. The file gradient_dot.py is the estimator
gradient-dot. Each has jobs of its own, so that adding or editing one leaves the results of all others valid.
"""

from dataclasses import dataclass, field

from fading.registry import Registry


@dataclass(frozen=True)
class Estimator:
    """An estimator: its names in figures, `colour` as a place in the palette, and what a job of it takes.

    `settings` names those that it takes of what estimators share (fading.plan.options), `own` holds JSON schemas, with
    defaults, of those that it alone takes. It may need the `spectrum` of the Hessian at the checkpoint, or the
    checkpoints of the case's other runs (`ensemble`). `of_the_past` ones say what up-weighting until the checkpoint
    did, and nothing of what follows; those that replay it step by step (`replays`) need its batches. `small` ones build
    the whole Hessian. `optimizers` are those that it holds for, any where there are none. `cost` is for people to read.
    """

    label: str
    cost: str
    short: str | None = None
    colour: int | None = None
    settings: tuple[str, ...] = ()
    own: dict[str, dict] = field(default_factory=dict)
    spectrum: bool = False
    ensemble: bool = False
    of_the_past: bool = False
    replays: bool = False
    small: bool = False
    optimizers: tuple[str, ...] = ()

    @property
    def ranks(self) -> bool:
        """Does it score every training example, for what follows a checkpoint?"""
        return not self.of_the_past


ESTIMATORS = Registry("influence", Estimator)
