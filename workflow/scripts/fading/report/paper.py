"""The study in a few pages of PDF, by LaTeX; every number is read from its tables."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from fading.artefacts import store
from fading.errors import FadingError
from fading.evidence.claims import NOT_TESTED, PAPER
from fading.evidence.findings import findings, plain

LATEX = ("pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error")
SPECIAL = {**{one: f"\\{one}" for one in "&%$#_{}"}, "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\^{}"}
FIGURE = "memory.png"
WHOLE = "a finished study with all that config/full.yaml has, or its reference"


def source(template: str, folder: Path, config: dict) -> str:
    """The paper in LaTeX, from the public tables in a study's folder, or in its committed reference.

    Raises FadingError where a number that it names is not there.
    """
    tables = _Tables(folder)
    text = findings(template, tables, config).replace("CLAIMS", _claims(tables["claims"]), 1)
    return text.replace("MADEOF", _made_of([*tables.files, folder / "figures" / FIGURE]), 1)


class _Tables(dict):
    """The tables of a study's folder by name, read when they are asked for; `files` are those that were."""

    def __init__(self, folder: Path):
        super().__init__()
        self.folder, self.files = folder, []

    def __missing__(self, name):
        file = self.folder / ("" if name == "claims" else "tables") / f"{name}.csv"
        if not file.is_file():
            raise FadingError(f"{self.folder} has no table {name}; accepted is {WHOLE}.")
        self.files.append(file)
        self[name] = store.read(file)
        return self[name]


def write(template: str, folder: Path, config: dict, pdf: Path) -> None:
    """Write the paper. The same tables give the same bytes. Raises FadingError without LaTeX, or if it fails."""
    if not shutil.which(LATEX[0]):
        raise FadingError(f"{LATEX[0]} is not here: it comes with TeX Live, on Debian with texlive-latex-base.")
    text = source(template, folder, config)
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        (at / "paper.tex").write_text(text)
        shutil.copy(folder / "figures" / FIGURE, at)
        for _ in range(2):  # the second time with places of the first
            done = subprocess.run([*LATEX, "paper.tex"], cwd=at, env=_dated(), capture_output=True, check=False)
        if done.returncode:
            said = re.findall(r"^!.*|^l\.\d.*", done.stdout.decode(errors="replace"), re.MULTILINE)
            raise FadingError(f"{LATEX[0]} failed: {' '.join(said) or 'it said nothing'}.")
        shutil.move(at / "paper.pdf", pdf)


def _dated():
    return os.environ | {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}


def _claims(claims: pd.DataFrame) -> str:
    """The paper's, a row each: the sentence, its number and what it would take, the verdict."""
    lines = [r"{\footnotesize\begin{longtable}{p{92mm}p{48mm}l}"]
    for row in claims[claims.source == PAPER].itertuples():
        if row.verdict == NOT_TESTED:
            number = ""
        else:
            sign = {"at least": "≥", "at most": "≤"}[row.direction]
            ends = f"[{plain(row.ci_low)}, {plain(row.ci_high)}]"
            number = f"{plain(row.estimate)} {ends}, {sign} {plain(row.threshold)}"
        lines.append(f"{escaped(row.sentence)} & {number} & {row.verdict} \\\\")
    return "\n".join([*lines, r"\end{longtable}}"])


def _made_of(files: list[Path]) -> str:
    """The files that it is made of, each with the start of its sha256. Raises FadingError where one is not there."""
    for file in files:
        if not file.is_file():
            raise FadingError(f"{file} is not there; accepted is {WHOLE}.")
    return ", ".join(rf"{escaped(file.name)} \texttt{{{store.sha256(file)[:12]}}}" for file in sorted(files))


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return "".join(SPECIAL.get(one, one) for one in text)
