"""One look for all figures: sizes, colours that colour-blind readers tell apart, names people read."""

from zlib import crc32

import matplotlib
import seaborn as sns
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

matplotlib.use("Agg")

WIDTH = 7.0  # inches, the text width of a page
COLOURS = dict(
    zip(
        ["linear-response", "gradient-dot", "abif", "exact", "calm", "flip", "diverging", "noise floor"],
        [*(sns.color_palette("colorblind")[i] for i in (7, 0, 1, 2, 0, 1, 3)), (0.6, 0.6, 0.6)],
        strict=True,
    )
)
SHORT = {"gradient-dot": "gradient dot", "abif": "ABIF", "exact": "explicit Hessian"}
LABELS = {
    "linear-response": "linear response (exact first order)",
    "gradient-dot": "gradient dot product (TracIn, one checkpoint)",
    "abif": "Arnoldi influence function (ABIF)",
    "exact": "influence function, explicit Hessian",
    "resnet-fashion": "ResNet GELU, Fashion-MNIST",
    "resnet-relu-fashion": "ResNet ReLU, Fashion-MNIST",
    "bert-reviews": "BERT, movie reviews",
    "logistic-fashion": "convex, Fashion-MNIST",
    "logistic-reviews": "convex, movie reviews",
}


def label(name: str) -> str:
    """What to call a case or estimator in a figure; its own name where nothing better is known."""
    return LABELS.get(name, name)


def colour(name: str):
    """The colour of an estimator or regime; for one without its own, a colour that its name determines."""
    return COLOURS.get(name) or sns.color_palette("colorblind")[4 + crc32(name.encode()) % 3]


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
            "savefig.dpi": 200,
        },
    )


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
