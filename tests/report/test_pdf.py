"""The study as a PDF: its numbers are the tables', whatever these are."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT, cli
from fading.artefacts import store
from fading.errors import FadingError
from fading.plan.plan import read_plan
from fading.report.paper import escaped, source, write

REFERENCE = ROOT / "results/reference/full"
TEMPLATE = (ROOT / "workflow/report/paper.tex").read_text()
latex = pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="pdflatex is not here: apt-get install texlive-latex-base"
)


@pytest.fixture(scope="module")
def config():
    return read_plan(ROOT, "config/full.yaml").config


@pytest.fixture
def study(tmp_path):
    """A copy of the committed reference."""
    return shutil.copytree(REFERENCE, tmp_path / "full")


def edit(study, name, column, value, **where):
    """Put another number into the one row with these values, as if a job had written it."""
    file = study / f"{name}.csv"
    table = store.read(file)
    rows = pd.Series(True, index=table.index)
    for key, wanted in where.items():
        rows &= table[key] == wanted
    assert rows.sum() == 1
    table.loc[rows, column] = value
    store.write(file, table, store.lineage(file))


def test_a_changed_table_changes_the_words(study, config):
    before = source(TEMPLATE, study, config)
    assert not re.search(r"nan|\{\{|None", before)
    edit(study, "claims", "estimate", 0.4321, claim="indefinite-bert")
    edit(study, "tables/scale", "test_accuracy", 0.7654, case="resnet-fashion")
    after = source(TEMPLATE, study, config)
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert sum(".43" in line for line in changed) == 2, "in the text and in the table of claims"
    assert sum(".77" in line for line in changed) == 1
    for name in ("claims", "tables/scale"):
        assert f"{Path(name).name}.csv \\texttt{{{store.sha256(study / f'{name}.csv')[:12]}}}" in changed[-1]
    assert "peers.csv" not in after, "of which nothing is told"
    (study / "figures/memory.png").unlink()
    with pytest.raises(FadingError, match=r"memory\.png is not there; accepted is a finished study"):
        source(TEMPLATE, study, config)
    (study / "tables/scale.csv").unlink()
    with pytest.raises(FadingError, match="full has no table scale; accepted is a finished study"):
        source(TEMPLATE, study, config)


def test_words_that_no_longer_hold_are_not_printed(study, config):
    edit(study, "claims", "verdict", "supported", claim="divergence-resnet")
    with pytest.raises(FadingError, match="divergence-resnet is supported; accepted is contradicted"):
        source(TEMPLATE, study, config)


def test_numbers_stand_in_the_template_nowhere():
    words = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", TEMPLATE.split(r"\begin{abstract}")[1], flags=re.DOTALL)
    assert set(re.findall(r"(?<![\w.])-?\d*\.\d+", words)) <= {"0.62"}, "how wide the figure is"


def test_text_is_set_as_it_is():
    assert escaped(r"5 % of a_b & {c} \ #1 ~ ^ $") == (
        r"5 \% of a\_b \& \{c\} \textbackslash{} \#1 \textasciitilde{} \^{} \$"
    )


@latex
def test_the_same_tables_give_the_same_pages_and_others_do_not(study, config, tmp_path):
    first, again, other = (tmp_path / f"{name}.pdf" for name in ("first", "again", "other"))
    write(TEMPLATE, study, config, first)
    write(TEMPLATE, study, config, again)
    assert first.read_bytes() == again.read_bytes()
    edit(study, "claims", "estimate", 0.4321, claim="indefinite-bert")
    write(TEMPLATE, study, config, other)
    assert other.read_bytes() != first.read_bytes()


@latex
def test_latex_s_complaint_is_a_sentence(study, config, tmp_path):
    with pytest.raises(FadingError, match=r"pdflatex failed: ! Undefined control sequence\."):
        write(TEMPLATE.replace(r"\maketitle", r"\makeitle"), study, config, tmp_path / "none.pdf")
    assert not (tmp_path / "none.pdf").exists()


def test_without_latex_or_claims_a_sentence_says_so(study, config, tmp_path, monkeypatch):
    none = cli(ROOT, "paper", str(tmp_path))
    assert none.returncode == 3
    assert f"{tmp_path} has no claims.csv; accepted is a finished study, or its reference." in none.stderr
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FadingError, match="pdflatex is not here: it comes with TeX Live"):
        write(TEMPLATE, study, config, tmp_path / "none.pdf")
