"""The page of a study: words, tables, charts and pictures as they stand in it, and what it carries of others."""

import base64
import io
import json
import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from fading.artefacts import pages, store  # noqa: F401, HTML
from fading.experiments.correction.names import HELPFUL, TARGET
from fading.figures.style import DASHES, Names
from fading.influence import ESTIMATORS
from fading.provenance.lineages import recorded
from fading.report.charts import Chart, specification
from fading.report.gallery import shown
from fading.report.recorded import recorded_tables
from fading.report.tables import caption, for_readers, html, number
from PIL import Image

REFERENCE = ROOT / "results/reference"
NAMES = Names({"abif": "influence by ABIF"}, {}, {"abif": 1})
MEAN = {"se_rows": 0.1, "se_columns": 0.0, "df": 4, "scale": "linear", "rows": 5, "se_nested": 0.0}
TABLE = pd.DataFrame(
    [
        {
            "case": case,
            "estimator": name,
            "age": age,
            "spearman": value,
            "ci_low": value - 0.1,
            "ci_high": value + 0.1,
            **MEAN,
        }
        for case in ("a", "b")
        for name, value in (("abif", 0.5), ("random", np.nan))
        for age in (1, 10)
    ]
).assign(over="5 runs")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.123456, "0.123"),
        (0.99987, "0.9999"),
        (1.0, "1"),
        (12345, "12345"),
        (-1234.5, "-1234"),
        (999.6, "1000"),
        (1 - 1e-7, "0.9999999"),
        (-1e-7, "-1e-07"),
        (np.inf, "inf"),
    ],
)
def test_numbers(value, said):
    assert number(value) == said


def test_tables_show_numbers_texts_and_gaps_and_nothing_that_could_run():
    made = html(pd.DataFrame({"a_b": [0.12345, np.nan], "text": ["<script>", "x"]}), "caption & more")
    assert "<caption>caption &amp; more</caption>" in made and '<th scope="col">a b</th>' in made
    assert "<tr><td class=n>0.123<td>&lt;script&gt;\n<tr><td class=n><td>x\n" in made


def test_readers_see_intervals_and_not_what_they_are_made_of():
    assert list(for_readers(TABLE)) == ["case", "estimator", "age", "spearman", "ci_low", "ci_high", "over"]
    prefixed = TABLE.add_prefix("slope_")
    assert list(for_readers(prefixed)) == [f"slope_{name}" for name in for_readers(TABLE)]


def test_captions_are_those_of_snakemakes_report():
    template = '{% if snakemake.rule == "figure_a" %}\nOf *n* runs & {{ snakemake.config.n }}.\n{% endif %}'
    assert caption(template, "figure_a", {"n": 3}) == "<p>Of <em>n</em> runs &amp; 3.</p>\n"
    assert ".. raw" not in caption(".. raw:: html\n\n   <script></script>", "x", {})
    assert "<script>" not in caption(".. raw:: html\n\n   <script></script>", "x", {})


def test_charts_have_every_number_and_a_choice_of_what_there_is():
    chart = Chart("memory", "age", "spearman", ("age", "rank correlation"), "estimator", ("case",))
    made = specification(chart, TABLE, NAMES)
    values = pd.DataFrame(made["data"]["values"])
    assert values.spearman.tolist() == [0.5] * 4, "of what has a number"
    assert set(values.estimator) == {"influence by ABIF"}
    assert (values.ci_low.tolist(), values.over.tolist()) == ([0.4] * 4, ["5 runs"] * 4)
    unsure = specification(chart, TABLE.assign(ci_low=np.nan), NAMES)["data"]["values"][0]
    assert (unsure["ci_low"], unsure["lower"]) == (None, 0.5), "no interval is told, and none drawn"
    (choice,) = made["params"]
    assert (choice["value"], choice["bind"]["options"]) == ("a", ["a", "b"])
    assert made["encoding"]["color"]["scale"]["domain"] == ["influence by ABIF"]
    rows = TABLE.assign(spearman=0.5, regime=TABLE.case.map({"a": "calm", "b": "edge"}), k=10)
    chosen = specification(replace(chart, chosen=("case", "regime", "k")), rows, NAMES)
    (choice,) = chosen["params"]
    assert choice["bind"]["options"] == ["a · calm", "b · edge"], "no choice of what no row has"
    assert {row["chosen"] for row in chosen["data"]["values"]} == {"a · calm", "b · edge"}


def test_lines_are_told_apart():
    names = Names({}, {}, {name: one.colour for name, one in ESTIMATORS.items() if one.colour is not None})
    drawn = {*ESTIMATORS, *DASHES, "gradient-dot-at-its-time", "gradient-dot-half-way"}
    looks = {name: (names.colour(name), DASHES.get(name)) for name in drawn}
    for (one, (colour, dashes)), (other, (another, others)) in combinations(looks.items(), 2):
        far = max(abs(a - b) for a, b in zip(colour, another, strict=True))
        assert far > 0.1 or dashes != others, f"{one} and {other} look alike"


def test_charts_have_the_dashes_of_figures():
    rows = TABLE.assign(estimator=TABLE.estimator.replace({"abif": "linear-response", "random": "exact"}), spearman=0.5)
    made = specification(Chart("memory", "age", "spearman", ("age", "x"), "estimator", ("case",)), rows, NAMES)
    assert made["layer"][1]["encoding"]["strokeDash"]["scale"]["range"] == [[9, 4.5], [3, 0]]


def test_pictures_are_of_the_examples_named():
    rows = [(TARGET, 1, "coat", "shirt", np.nan), (HELPFUL, 0, "shirt", None, -0.5)]
    table = pd.DataFrame(rows, columns=["kind", "index", "label", "predicted", "score"])
    table = table.assign(case="a", test_index=1, method="abif", text=None)
    images = np.arange(2 * 4, dtype=np.float32).reshape(2, 1, 2, 2)
    (one,) = shown(table, {"a": {"test_inputs.0": images, "train_inputs.0": -images}})
    assert (one["case"], one["target"], one["method"]) == ("a", 1, "abif")
    target, helpful = one["examples"]
    assert (target["predicted"], helpful["predicted"], helpful["score"]) == ("shirt", "", -0.5)
    assert _pixels(target["picture"]).tolist() == [[255, 170], [85, 0]], "the brightest value is the darkest ink"
    assert _pixels(helpful["picture"]).tolist() == [[0, 85], [170, 255]]
    sentence = shown(table.assign(text="A sentence."), {"a": {}})[0]["examples"][0]
    assert sentence["text"] == "A sentence." and "picture" not in sentence


def _pixels(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


def test_a_page_is_an_artefact_with_lineage_and_seal(tmp_path):
    lineage = {"path": "results/a/report.html", "rule": "page", "settings": {"text": "</script><script>alert()"}}
    lineage |= {"wildcards": {}, "inputs": {}, "code": {}, "lock": "0", "versions": {}, "device": "cpu", "threads": 1}
    file, page = tmp_path / "report.html", "<!doctype html>\n<html><head>\n<title>a</title></head><body>b</body></html>"
    store.write(file, page, lineage)
    store.check(file)
    assert recorded(file) == lineage
    text = file.read_text()
    assert text.count("</script>") == 1, "lineage can't end the element that it stands in"
    file.write_text(text.replace(">b<", ">c<"))
    with pytest.raises(store.FadingError, match="not as it was written"):
        store.check(file)


def test_what_was_recorded_is_that_of_the_committed_results():
    command = "snakemake scorecard --configfile config/full.yaml"
    costs = {study: json.loads((REFERENCE / study / "costs.json").read_text()) for study in ("full", "default")}
    measured = {
        name: (
            store.read(REFERENCE / f"default/tables/{name}.csv"),
            caption((ROOT / f"workflow/report/{name}.rst").read_text(), f"table_{name}", {}),
        )
        for name in ("peers", "benchmark")
    }
    text = (ROOT / "workflow/report/recorded.html").read_text()
    assert recorded_tables(costs, measured) == text, command
    machine = costs["full"]["machine"]
    assert f"full on {machine['processor']} ({machine['cores']} cores" in text
    minutes = f"<td class=n>{number(costs['full']['stages'][0]['core_minutes'])}"
    assert minutes in text.partition("<tr><td>data")[2].partition("<tr>")[0]
    assert "relative difference" in text


def test_libraries_of_others_are_those_that_are_named():
    vendor = ROOT / "workflow/report/vendor"
    rows = re.findall(
        r"^\| (\S+\.js) \| (\S+) \S+ \| \S+ \| ([0-9a-f]{64}) \|$", (vendor / "README.md").read_text(), re.M
    )
    assert {file: sha for file, _, sha in rows} == {file.name: store.sha256(file) for file in vendor.glob("*.js")}
    assert {of for _, of, _ in rows} == {file.stem for file in vendor.glob("*.LICENSE")}
