"""One look for all figures: sizes, colours that colour-blind readers tell apart, names people read."""

from collections.abc import Iterable
from itertools import cycle
from textwrap import fill
from zlib import crc32

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter
from matplotlib.transforms import Bbox

from fading.experiments.correction.names import CONTROLS

matplotlib.use("Agg")

WIDTH = 7.0  # inches, the text width of a page
ACROSS = 5  # panels side by side
PALETTE = sns.color_palette("colorblind")


def _dark(colour):
    return tuple(0.5 * part for part in colour)


def _pale(colour):
    return tuple(0.5 + 0.5 * part for part in colour)


COLOURS = {  # of what is no estimator, and of estimators whose own would be another's: the rest describe themselves
    "calm": PALETTE[0],
    "edge": PALETTE[1],
    "diverging": PALETTE[3],
    "noise floor": (0.6, 0.6, 0.6),
    "linear-response": (0.0, 0.0, 0.0),
    "unrolled": (0.0, 0.0, 0.0),
    "lissa": _dark(PALETTE[4]),
    "trak": _dark(PALETTE[8]),
    "trak-ensemble": _dark(PALETTE[6]),
    "tracin": _dark(PALETTE[2]),
    "minres": _dark(PALETTE[5]),
    "gradient-dot-at-its-time": _dark(PALETTE[0]),
    "step-dot-at-its-time": PALETTE[2],
    "horizon-once": PALETTE[9],
    "another order": (0.1, 0.1, 0.1),
    "another seed": (0.45, 0.45, 0.45),
    "kept": PALETTE[0],
    "curvature": PALETTE[1],
    "re-use": PALETTE[2],
    "path": PALETTE[4],
    "beyond first order": PALETTE[3],
    "gradient-dot-half-way": _pale(PALETTE[0]),
    "target": (0.2, 0.2, 0.2),
    "label-neighbours": _dark(PALETTE[3]),
    "random-of-label": PALETTE[5],
    "random": (0.6, 0.6, 0.6),
    "self-influence": PALETTE[6],
    "training loss": PALETTE[3],
    "cross-validated loss": PALETTE[2],
    "all planted errors": (0.1, 0.1, 0.1),
    "supported": PALETTE[0],
    "inconclusive": PALETTE[1],
    "contradicted": PALETTE[3],
    "void": (0.1, 0.1, 0.1),
    "not tested": (0.6, 0.6, 0.6),
}
DASHES = {  # of lines that may run along others: they are drawn above, and let these be seen
    **dict.fromkeys((*CONTROLS, "linear-response", "step-dot-at-its-time"), (3, 1.5)),
    **dict.fromkeys(("horizon", "another order", "another seed"), (1, 1)),
    "horizon-once": (4, 1, 1, 1),
}
LABELS = {
    "linear-response": "linear response (exact first order)",
    "gradient-dot-at-its-time": "gradient dot product at its time",
    "step-dot-at-its-time": "the optimiser's step at its time",
    "horizon-once": "constant curvature since then",
}
SHORT = {
    "linear-response": "linear response",
    "gradient-dot-half-way": "gradient dot, half-way",
    "target": "target itself",
    "label-neighbours": "nearest of its label",
    "random-of-label": "random of its label",
}


class Names:
    """What to call cases and estimators in figures, as their descriptions have it, and their colours.

    `labels` and `short` are by name, `colours` places in the palette of those that have no colour here.
    """

    def __init__(self, labels: dict[str, str], short: dict[str, str], colours: dict[str, int]):
        self.labels, self.shorter = {**LABELS, **labels}, {**SHORT, **short}
        self.colours = {**{name: PALETTE[place] for name, place in colours.items()}, **COLOURS}

    def label(self, name: str) -> str:
        """What to call a case or estimator; its own name where nothing better is known."""
        return self.labels.get(name, name)

    def title(self, name: str, width: int = 20) -> str:
        """The label in lines of at most so many letters."""
        return fill(self.label(name), width, break_on_hyphens=False)

    def short(self, name: str) -> str:
        """The same in few words."""
        return self.shorter.get(name, name)

    def colour(self, name: str):
        """The colour of an estimator, regime or verdict; for one without its own, a colour that its name determines."""
        return self.colours.get(name) or PALETTE[4 + crc32(name.encode()) % 3]

    def look(self, name: str) -> dict:
        """How its line is drawn: its colour and dashes."""
        dashes = {"ls": (0, DASHES[name]), "zorder": 2.5} if name in DASHES else {"ls": "-", "zorder": 2}
        return {"color": self.colour(name), **dashes}


def distinct(names: Iterable[str]) -> dict:
    """A colour for each name, in their order; after ten they begin anew."""
    return dict(zip(names, cycle(PALETTE), strict=False))


def apply() -> None:
    """Set the style for all figures of this process."""
    sns.set_theme(
        context="paper",
        style="ticks",
        rc={
            "figure.constrained_layout.use": True,
            "font.size": 8,
            "axes.titlesize": 8,
            "axes.labelsize": 8,
            "xtick.labelsize": 7,
            "ytick.labelsize": 7,
            "legend.fontsize": 8,
            "legend.frameon": False,
            "lines.linewidth": 1.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.linewidth": 0.8,
            "xtick.major.width": 0.8,
            "ytick.major.width": 0.8,
            "xtick.major.size": 3,
            "ytick.major.size": 3,
            "savefig.dpi": 150,
        },
    )


def write(job, figure) -> None:
    """Write a figure, laid out once, as the job's png and svg.

    Places are rounded to a millionth of the figure: the solver behind the layout goes by addresses in memory, so that
    their last bits differ from run to run, and with them the names of clip paths in an SVG.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.set(_rounded(part.bbox_relative))
    for axis in figure.axes:
        axis.set_position(_rounded(axis.get_position(original=True)))
    job.write("png", figure)
    job.write("svg", figure)


def _rounded(box):
    return Bbox(box.get_points().round(6))


def count_axis(axis, largest: int) -> None:
    """A logarithmic horizontal axis for step counts, with plain numbers."""
    axis.set(xscale="log", xlim=(0.9, 1.1 * largest))
    axis.xaxis.set_major_locator(LogLocator(numticks=20))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_locator(NullLocator())


def shared_legend(figure, axes, columns: int) -> None:
    """One legend below all panels, an entry per label."""
    entries = {}
    for axis in axes:
        for handle, text in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(text, handle)
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns)


def stacks(figure, count: int, rows: int, height: float, **grid) -> tuple[np.ndarray, np.ndarray]:
    """Axes for `count` stacks, each of so many rows one above another: all of them, (count, rows), and the leftmost.

    More than five stand in blocks, and the figure is `height` inches a block, and what more it is now.
    """
    blocks = -(-count // ACROSS)
    across = -(-count // blocks)
    whole = figure.get_figure(root=True)
    whole.set_figheight(whole.get_figheight() + height * blocks)
    axes = figure.subplots(rows * blocks, across, squeeze=False, **grid)
    stacked = np.vstack([axes[rows * block :][:rows].T for block in range(blocks)])
    for axis in stacked[count:].flat:
        axis.set_axis_off()
    return stacked[:count], stacked[:count:across]


def finish_grid(axes, used: int, xlabel: str) -> None:
    """Of a grid (rows, columns) of panels, hide those beyond the first `used` and label the lowest of each column."""
    columns = axes.shape[1]
    for number, axis in enumerate(axes.flat):
        if number >= used:
            axis.set_axis_off()
        elif number + columns >= used:
            axis.set_xlabel(xlabel)
            axis.tick_params(labelbottom=True)
