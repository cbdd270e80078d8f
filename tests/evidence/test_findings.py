"""Findings in words whose numbers are read from tables."""

import json
import math

import pandas as pd
import pytest
from conftest import ROOT
from fading.artefacts import store
from fading.errors import FadingError
from fading.evidence.findings import BEGIN, END, findings, plain, with_findings
from fading.plan.plan import read_plan

CLAIMS = pd.DataFrame(
    {
        "claim": ["fades", "drifts", "stays"],
        "source": ["paper", "paper", "ours"],
        "estimate": [0.612, -0.0145, 0.996],
        "ci_low": [0.55, -0.0173, 0.991],
        "ci_high": [0.67, -0.0117, 0.9994],
        "verdict": ["supported", "contradicted", "void"],
        "sentence": ["It fades.", "It drifts.", "It stays."],
        "over": ["5 runs", "5 runs", "3 runs"],
        "direction": ["at least", "at least", "at most"],
        "threshold": [0.5, 0.0, 0.9],
        "knowing": ["nothing", "prototypes", "earlier results"],
        "p_holm": [0.2, 1.0, math.nan],
        "because": ["", "", "drifts is contradicted"],
    }
)
MEMORY = pd.DataFrame(
    {
        "case": ["a", "a", "b"],
        "age": [1, 30, 1],
        "spearman": [0.978, 0.056, 1.0],
        "ci_low": [0.96, -0.03, 1.0],
        "ci_high": [0.986, 0.14, 1.0],
        "slope": [1.0, 0.5, 12.3],
        "slope_low": [0.9, 0.4, 11.0],
        "slope_high": [1.02, 0.6, 13.0],
    }
)
TABLES = {"claims": CLAIMS, "memory": MEMORY}
REFERENCE = ROOT / "results/reference/full"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.056, ".056"),
        (0.978, ".98"),
        (0.9954, ".995"),
        (0.99951, ".9995"),
        (1, "1.00"),
        (1.02, "1.02"),
        (3.66, "3.7"),
        (-0.0145, "−.015"),
        (-0.28, "−.28"),
        (0, "0"),
        (12.34, "12"),
    ],
)
def test_numbers_are_short_and_say_what_tells_them_from_one(number, text):
    assert plain(number) == text


def test_a_template_takes_its_numbers_from_the_one_row_that_is_meant():
    template = (
        '## A title\n\nIt falls from {{ mean("memory", "spearman", case="a", age=1) }} to\n'
        '{{ mean("memory", "spearman", case="a", age=30) }} {{ interval("memory", "spearman", case="a", age=30) }};\n'
        'left: {{ mean("memory", "slope", case="a", age=1) }} {{ interval("memory", "slope", case="a", age=1) }}.\n\n'
        '1. {{ claim("drifts") }} {{ bounds("drifts") }}; {{ verdicts("paper", "supported") }} of {{ config.seeds }}\n'
        '2. {{ row("claims", claim="stays").verdict }}{{ expect("stays", "void") }}, {{ 77858 | count }}\n'
    )
    assert findings(template, TABLES, {"seeds": 5}) == (
        "## A title\n\nIt falls from .98 to .056 [−.03, .14]; left: 1.00 [.90, 1.02].\n\n"
        "1. −.015 [−.017, −.012]; 1 of 5\n2. void, 77,858"
    )


def test_what_a_study_lacks_can_be_left_out_and_a_claim_that_is_not_tested_says_so():
    template = (
        '{% if has("memory", case="c") %}It is there.{% endif %}{% if has("memory", case="b") %}So is b.{% endif %}'
    )
    assert findings(template, TABLES, {}) == "So is b."
    untested = CLAIMS.assign(verdict="not tested", estimate=math.nan)
    assert findings('{{ judged("fades") }}', {"claims": untested}, {}) == "- **not tested** It fades."


def test_a_table_has_what_the_rows_meant_hold_in_the_order_asked_for():
    steps = pd.DataFrame(
        {
            "case": ["a", "a", "a", "b", "b"],
            "way": ["x", "y", "y", "x", "z"],
            "step": [5, 5, 1, 3, 3],
            "value": [0.5, math.nan, 0.1, 0.25, 1234.0],
        }
    )

    def made(template):
        return findings(template, {"steps": steps}, {}).splitlines()

    last = ["| case | x | y | z |", "| --- | --- | --- | --- |", "| a | .50 |  |  |", "| b | .25 |  | 1.2e+03 |"]
    assert made('{{ grid("steps", "value", ["case"], "way", step="last") }}') == last
    some = ["| case | z | x |", "| --- | --- | --- |", "| b | 1.2e+03 | .25 |"]
    assert made('{{ grid("steps", "value", ["case"], "way", ["z", "x", "w"], step=3) }}') == some
    two = ["| case | way | 1 |", "| --- | --- | --- |", "| a | y | .10 |"]
    assert made('{{ grid("steps", "value", ["case", "way"], "step", [1]) }}') == two
    whole = made('{{ rows("steps", ["case", "step", "value"]) }}')
    assert whole[0] == "| case | step | value |"
    assert whole[2:4] == ["| a | 5 | .50 |", "| a | 5 |  |"]
    assert whole[-1] == "| b | 3 | 1,234 |"


def test_paragraphs_are_filled_and_tables_pictures_and_code_are_not():
    long = " ".join(["word"] * 40)
    kept = [f"| {long} |\n| --- |", f"![{long}](a.png)", f"    {long}", f"```mermaid\n{long}\n```"]
    page = findings("\n\n".join([long, *kept, f"- {long}"]), {}, {})
    first, *rest = page.split("\n\n")
    assert max(map(len, first.splitlines())) <= 120
    assert rest[:-1] == kept
    assert rest[-1].splitlines()[1].startswith("  word")


def test_the_scorecard_is_that_of_the_claims():
    claims = CLAIMS.assign(**{"random": "", "nearest-neighbours": "", "replicates": 5.0, "needed": 3.0})
    claims = claims.assign(assumption="fading", case="a")
    assert findings("{{ scorecard() }}", {"claims": claims}, {}).startswith("- The paper's claims (2): 1 supported")


def test_claims_that_another_study_judged_otherwise_are_listed_with_both():
    there = CLAIMS.assign(verdict=["inconclusive", "contradicted", "not tested"], ci_low=0.4, over="3 runs")
    text = findings('{{ differing("there") }}', {"claims": CLAIMS, "there": there}, {})
    assert " ".join(text.split()) == (
        "- It fades. Here *supported*: .61 [.55, .67] over 5 runs; there *inconclusive*: .61 [.40, .67] over 3 runs."
    )
    assert findings('{{ differing("there") }}', {"claims": CLAIMS, "there": CLAIMS}, {}) == "None."


def test_claims_are_listed_with_what_weakens_them():
    assert findings('{{ judged("fades", "stays") }}\n\n{{ holm() }}', TABLES, {}) == (
        "- **supported** It fades. .61 [.55, .67] over 5 runs; at least .50, fixed before any run; "
        "not after Holm's adjustment.\n"
        "- **void** It stays. .996 [.991, .9994] over 3 runs; at most .90, fixed after earlier results; "
        "ours; drifts is\n"
        "  contradicted.\n\n0"
    )


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ('{{ mean("memory", "spearman", case="a") }}', "found 2 rows of memory with case a; accepted is one"),
        ('{{ mean("memory", "spearman", case="c") }}', "found 0 rows of memory with case c; accepted is one"),
        (
            '{{ mean("claims", "p_holm", claim="stays") }}',
            "claims has no p_holm with claim stays",
        ),
        ('{{ expect("drifts", "supported") }}', "drifts is contradicted; accepted is supported"),
    ],
)
def test_what_is_no_longer_true_is_an_error(template, sentence):
    with pytest.raises(FadingError, match=sentence):
        findings(template, TABLES, {})


def test_only_the_marked_section_of_a_page_is_written():
    page = with_findings(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter\n", "New.", TABLES, {})
    assert page == f"# Before\n\n{BEGIN}\n\nNew.\n\n{END}\n\nAfter\n"
    assert with_findings(page, "New.", TABLES, {}) == page
    with pytest.raises(FadingError, match="has no section of findings"):
        with_findings("# Nothing\n", "New.", TABLES, {})


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the full study's results are not committed yet")
def test_the_pages_say_what_the_committed_tables_say():
    committed = {file.stem: store.read(file) for file in REFERENCE.rglob("*.csv")}
    committed["costs"] = pd.DataFrame(json.loads((REFERENCE / "costs.json").read_text())["stages"])
    committed["claims of the default study"] = store.read(ROOT / "results/reference/default/claims.csv")
    config = read_plan(ROOT, "config/full.yaml").config
    templates = {file.stem: file.read_text() for file in (ROOT / "workflow/report").glob("*.md")}
    page = (ROOT / "README.md").read_text()
    assert with_findings(page, templates.pop("findings"), committed, config) == page, "snakemake scorecard"
    assert set(templates) == {"results", "verdict"}
    for name, template in templates.items():
        written = (ROOT / f"docs/{name}.md").read_text()
        assert findings(template, committed, config) + "\n" == written, "snakemake scorecard"
