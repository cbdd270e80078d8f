"""The page of the smoke study in a real browser, offline: all there, readable by everybody, asking nobody."""

import base64
import hashlib
import json
import shutil
import subprocess
import time

import pandas as pd
import pytest
from browser import Page, executable
from fading.evidence.claims import NOT_TESTED
from fading.report.page import MOST_ROWS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(executable() is None, reason="needs Chromium: apt-get install chromium, or a package like it"),
]
AXE = "axe-core@4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
SCROLL = """(async () => {
  for (let y = 0; y < document.body.scrollHeight; y += 400) {
    scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 30));
  }
  scrollTo(0, 0);
  await new Promise((done) => setTimeout(done, 500));
})()"""


@pytest.fixture(scope="module")
def file(smoke):
    return smoke / "results/smoke/report.html"


@pytest.fixture
def browser(tmp_path):
    with Page(tmp_path / "profile") as page:
        yield page


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """The source of axe-core, as its registry has it."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm, which brings axe-core: apt-get install npm")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(["npm", "pack", "--json", AXE], cwd=folder, capture_output=True, text=True, check=False)
    if packed.returncode:
        pytest.skip(f"npm could not fetch {AXE}: {packed.stderr.strip().splitlines()[-1:]}")
    (told,) = json.loads(packed.stdout)
    data = (folder / told["filename"]).read_bytes()
    assert f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}" == INTEGRITY
    shutil.unpack_archive(folder / told["filename"], folder, filter="data")
    return (folder / "package/axe.min.js").read_text()


def test_every_claim_figure_and_table_is_there(browser, file):
    browser.open(file)
    folder = file.parent
    claims = pd.read_csv(folder / "claims.csv")
    tested = claims[claims.verdict != NOT_TESTED]
    rows = browser.run(
        "[...document.querySelectorAll('tr[data-claim]')].map((row) => [row.dataset.claim, row.textContent])"
    )
    assert sorted(name for name, _ in rows) == sorted(tested.claim)
    texts = dict(rows)
    for claim in tested.itertuples():
        assert claim.sentence in texts[claim.claim] and claim.verdict in texts[claim.claim]
    drawn = browser.run(
        "Promise.all([...document.querySelectorAll('figure')].map(async (one) => {"
        " const image = one.querySelector('img'); image.loading = 'eager'; await image.decode();"
        " return [one.id, image.naturalWidth, one.querySelector('figcaption').textContent.trim().length]; }))"
    )
    assert {name for name, *_ in drawn} == {f"figure-{path.stem}" for path in (folder / "figures").glob("*.png")}
    assert min(min(width, caption) for _, width, caption in drawn) > 50
    tables = browser.run(
        "Object.fromEntries([...document.querySelectorAll('details.data')].map((one) =>"
        " [one.id, one.querySelectorAll('tbody tr').length]))"
    )
    counts = {path.stem: len(pd.read_csv(path)) for path in (folder / "tables").glob("*.csv")}
    read = {f"table-{name}": count for name, count in counts.items() if count <= MOST_ROWS}
    recorded = {name: tables.pop(f"recorded-{name}") for name in ("costs", "peers", "benchmark")}
    assert min(recorded.values()) > 5, "what committed studies cost is on every page"
    assert tables.items() <= (read | {"table-claims": len(claims)}).items()
    assert len(tables) > len(read) / 2


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [380, 1280])
def test_it_draws_and_fits_and_asks_nobody(browser, file, width, dark):
    browser.open(file, width, dark)
    browser.run(SCROLL)
    charts = browser.run(
        "[...document.querySelectorAll('.chart')].map((one) => one.querySelectorAll('svg path').length)"
    )
    assert charts and min(charts) > 10
    assert browser.run("document.body.scrollWidth <= innerWidth"), "nothing wider than the window"
    assert browser.errors == []
    assert {address for address in browser.requests if not address.startswith("data:")} == {file.as_uri()}
    brightness = browser.run("parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    assert (brightness < 60) == dark


def test_controls_work_by_keyboard(browser, file):
    browser.open(file)
    browser.run("document.querySelector('details.data').open = true")
    browser.run("document.querySelector('details.data th button').focus()")
    browser.press("Enter")
    sort = "document.querySelector('details.data th').getAttribute('aria-sort')"
    assert (first := browser.run(sort)) in ("ascending", "descending")
    browser.press("Enter")
    assert browser.run(sort) != first
    of_peers = "document.querySelector('#recorded-peers')"
    heads = browser.run(f"[...{of_peers}.querySelectorAll('th')].map((head) => head.textContent)")
    column, rows = heads.index("relative error"), f"[...{of_peers}.querySelectorAll('tbody tr')]"
    for row, text in enumerate(["-1", "\\n"]):
        browser.run(f"{rows}[{row}].cells[{column}].textContent = '{text}'")
    browser.run(f"{of_peers}.open = true; {of_peers}.querySelectorAll('th button')[{column}].click()")
    errors = [error.strip() for error in browser.run(f"{rows}.map((row) => row.cells[{column}].textContent)")]
    browser.run(f"{of_peers}.open = false")
    assert "" in (errors[0], errors[-1]), "blank is less than any number"
    sorted_by = [float(error) for error in errors if error]
    assert sorted_by in (sorted(sorted_by), sorted(sorted_by, reverse=True))
    assert any(0 < error < 1e-6 for error in sorted_by)
    left = "[...document.querySelectorAll('details.data tbody tr')].filter((row) => row.checkVisibility()).length"
    before = browser.run(left)
    browser.run("document.querySelector('details.data input').focus()")
    browser.send("Input.insertText", text="no row has this")
    assert before > browser.run(left) == 0
    shown = "[...document.querySelectorAll('.gallery article:not([hidden])')].map((one) => one.dataset.target)"
    (first,) = browser.run(shown)
    browser.run("document.querySelector('form.choose select[name=target]').focus()")
    browser.press("ArrowDown")
    (second,) = browser.run(shown)
    assert first != second


def test_without_scripts_everything_can_be_read(browser, file):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    browser.send("Page.navigate", url=file.as_uri())
    while browser.run("document.readyState + location.protocol") != "completefile:":
        time.sleep(0.1)
    hidden = browser.run("[...document.querySelectorAll('[hidden]')].map((one) => one.className)")
    assert set(hidden) <= {"interactive", "choose"}, "what only scripts can fill"
    assert browser.run("document.querySelectorAll('.gallery article').length") > 1


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_that_accessibility_rules_forbid(browser, file, axe, dark):
    browser.open(file, dark=dark)
    browser.run(SCROLL)
    browser.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    browser.run(axe + ";0")
    browser.run(
        "var broken = (one) => [one.id, one.nodes.length, one.nodes[0].html.slice(0, 200)];"
        "var broke = axe.run().then((told) => told.violations.map(broken)); 0"
    )
    assert browser.run("broke") == []
