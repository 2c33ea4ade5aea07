"""The report shows what is there, says what is not, and asks nobody."""

import html
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from experiments import EXPERIMENTS, claims, report
from experiments.commands.cli import main
from experiments.figures import style
from experiments.report.drawing import drawing
from experiments.results import store
from tests import toy_experiment as toy
from tests.browser import CHROMIUM, DRIVER, browser

ROOT = Path(report.__file__).parents[2]


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """The toy alone, with a clean record."""
    for name in list(EXPERIMENTS):
        monkeypatch.delitem(EXPERIMENTS, name)
    monkeypatch.setitem(EXPERIMENTS, "toy", "tests.toy_experiment")
    monkeypatch.setattr(toy, "CALLS", [])
    monkeypatch.setattr(toy, "FAIL_AT", {})
    monkeypatch.setitem(style.STYLE, "savefig.dpi", 20)


@pytest.fixture
def show(tmp_path, capsys):
    """Run the toy as the words say, then the report: status, page and output."""

    def run(*words):
        if words:
            assert main([*words, "--results", str(tmp_path)]) == 0
        status = main(["report", "--results", str(tmp_path)])
        shown = capsys.readouterr()
        path = tmp_path / "report.html"
        page = path.read_text(encoding="utf-8") if path.exists() else ""
        return status, page, shown.out + shown.err

    return run


def text(page):
    """What a reader reads."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def commands(page):
    return [text(line) for line in re.findall(r'<pre class="command">(.*)</pre>', page)]


def do(command):
    program, *words = shlex.split(command.removeprefix("python -m "))
    assert (program, main(words)) == ("experiments", 0)


def stored(folder, **attrs):
    """The toy's default result, with other attributes."""
    assert main(["run", "toy", "--results", str(folder)]) == 0
    dataset = store.load(folder / "toy.nc").assign_attrs(attrs)
    return store.save(dataset, folder / "toy.nc")


def test_the_page_says_what_the_result_says(show, tmp_path):
    status, page, shown = show("run", "toy")
    attrs = store.load(tmp_path / "toy.nc").attrs
    assert (status, str(tmp_path / "report.html") in shown) == (0, True)
    known = (toy.REPRODUCES, "Scale: reduced", "the middle of the toy", "Fig. 0", "1 m")
    wanted = [*known, *(attrs[k] for k in ("commit", "versions", "data", "created"))]
    assert [w for w in wanted if w not in text(page)] == []
    assert re.search(r"<dt>slopes</dt><dd>1.0, 2.0, 3.0</dd>", page)


def test_the_verdicts_are_words_and_are_counted(show, tmp_path):
    _, page, _ = show("run", "toy")
    (claim,) = toy.claims(store.load(tmp_path / "toy.nc"))
    assert claim.verdict == "reproduced"
    assert f"{claim.ours:.4g} m {claim.low:.4g} to {claim.high:.4g}" in text(page)
    assert "Scale reduced:✓ reproduced: 1" in text(page)


def test_a_stranger_is_told_when_by_what_and_what_the_words_mean(show):
    _, page, _ = show("run", "toy")
    top = page[: page.index("<nav")]
    assert "Computed 20" in top
    assert "by commit" in top
    assert "jax 0." in top
    for word in ("trend reproduced", "SD(ε_cell)", "µS", "ASSUMED"):
        assert word in top


def test_a_figure_is_described_in_words(show):
    page = show("run", "toy")[1]
    (alt,) = re.findall(r'<img src="data:image/svg[^"]*" alt="([^"]*)"', page)
    assert alt == "One panel. toy, published."


@pytest.mark.parametrize(
    "words", [[], ["--preset", "smoke"], ["--slopes", "5", "6.5", "--loud"]]
)
def test_the_commands_make_the_same_again(show, tmp_path, words):
    redraw, rerun = commands(show("run", "toy", *words)[1])
    (result,) = tmp_path.glob("*.nc")
    before = store.load(result)
    result.with_suffix(".png").unlink()
    do(redraw)
    assert result.with_suffix(".png").exists()
    result.unlink()
    do(rerun)
    assert store.load(result).equals(before)
    assert store.load(result).attrs["config"] == before.attrs["config"]


def test_the_same_results_make_the_same_bytes(show):
    assert show("run", "toy")[1] == show()[1]


class Parsed(HTMLParser):
    """Every reference, every anchor, and whether tags nest."""

    def __init__(self, page):
        super().__init__()
        self.open, self.names, self.references, self.anchors = [], set(), [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.references += [v for k, v in attrs if k in ("src", "href")]
        self.anchors |= {v for k, v in attrs if k == "id"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_refers_to_nothing_outside(show, tmp_path):
    (tmp_path / "old.nc").write_bytes(b"notes")
    (tmp_path / "toy.error.txt").write_text("Traceback\nOSError: it rained")
    page = Parsed(show("run", "toy")[1])
    inner = {r[1:] for r in page.references if r.startswith("#")}
    outer = [r for r in page.references if not r.startswith("#")]
    assert (page.open, inner - page.anchors) == ([], set())
    assert {"toy", "claims", "rest"} <= inner
    assert all(r.startswith("data:") for r in outer)
    assert "script" not in page.names


def test_no_text_becomes_markup(show, tmp_path, monkeypatch):
    bad = '<script>alert("1")</script>'
    monkeypatch.setattr(toy, "REPRODUCES", bad)
    untried = claims.not_attempted(bad, bad, 1.0, bad)
    monkeypatch.setattr(toy, "claims", lambda dataset: [untried])
    stored(tmp_path, data=bad, scale=bad, config=f'{{"{bad}": "{{}}"}}', **{bad: bad})
    _, page, _ = show()
    assert "<script" not in page
    assert bad in text(page)


@pytest.mark.parametrize("content", [b"", b"my notes", b"\x89HDF\r\n\x1a\n", None])
def test_a_damaged_result_is_named_and_the_others_are_shown(show, tmp_path, content):
    whole = stored(tmp_path).read_bytes()
    bad = tmp_path / "toy-smoke.nc"
    bad.write_bytes(whole[: len(whole) // 2] if content is None else content)
    status, page, shown = show()
    assert status == 1
    assert "not shown: " + str(bad) in shown
    assert "toy-smoke.nc: cannot be shown" in text(page)
    assert "the middle of the toy" in text(page)


def test_a_result_of_an_unknown_experiment_is_named(show, tmp_path):
    stored(tmp_path, experiment="bygone")
    status, page, _ = show()
    assert status == 1
    assert "is of experiment 'bygone', which is unknown: there are toy" in text(page)


@pytest.mark.parametrize("part", ["plot", "claims"])
def test_what_breaks_does_not_hide_the_rest(show, monkeypatch, part):
    show("run", "toy")
    monkeypatch.setattr(toy, part, lambda dataset: dataset.no_such_thing)
    status, page, shown = show()
    assert (status, "no_such_thing" in text(page), "no_such" in shown) == (
        1,
        True,
        True,
    )
    assert ("<img" in page, "the middle" in page) == (part != "plot", part != "claims")


def test_a_missing_experiment_is_named_with_its_command(show, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "last", "tests.toy_experiment")
    status, page, _ = show("run", "toy")
    assert (status, "last: no result" in text(page)) == (0, True)
    assert commands(page)[-1] == f"python -m experiments run last --results {tmp_path}"


def test_a_failure_is_shown_with_its_traceback(show, tmp_path):
    toy.FAIL_AT[1.0] = MemoryError("no room")
    assert main(["reproduce", "--results", str(tmp_path)]) == 1
    status, page, _ = show()
    assert (status, "toy: its last run failed" in text(page)) == (0, True)
    assert "<summary>MemoryError: no room</summary>" in page


def test_what_no_scale_attempts_is_said_once(show, monkeypatch):
    untried = claims.not_attempted("the sky", "nowhere")
    monkeypatch.setattr(toy, "claims", lambda dataset: [untried])
    show("run", "toy")
    assert text(show("run", "toy", "--preset", "smoke")[1]).count("the sky") == 1


def test_a_heavy_figure_becomes_pixels(monkeypatch):
    assert drawing(Figure()).url.startswith("data:image/svg+xml")
    monkeypatch.setattr("experiments.report.drawing._HEAVY", 100)
    assert drawing(Figure()).url.startswith("data:image/png")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "no result in it"),
        (lambda path: path.write_text("notes"), "is not a folder"),
    ],
)
def test_a_folder_without_results_is_refused(tmp_path, capsys, make, problem):
    folder = tmp_path / "results"
    make(folder)
    assert main(["report", "--results", str(folder)]) == 1
    shown = capsys.readouterr().err
    assert f"results = {folder}: {problem}" in shown
    assert f"python -m experiments run NAME --results {folder}" in shown
    assert not (tmp_path / "results" / "report.html").exists()


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and its driver")
def test_a_browser_shows_it_on_any_screen_without_complaint(show, tmp_path):
    (tmp_path / "old.nc").write_bytes(b"notes")
    show("run", "toy", "--slopes", *map(str, range(99)))
    page, bad = tmp_path / "report.html", tmp_path / "bad.html"
    bad.write_text('<img src="nowhere.png"><p style="width: 3000px">wide</p>')
    with browser(tmp_path / "profile") as see:
        for width, scheme in ((390, "light"), (390, "dark"), (1400, "dark")):
            pixels, overflow, images, console = see(page.as_uri(), width, scheme)
            assert (overflow, images, console) == (0, True, [])
            assert pixels.shape[1] == width
            assert (pixels[0, 0, :3].mean() > 0.5) == (scheme == "light")
            assert pixels.std() > 0.05
        sight = see(bad.as_uri(), 390, "light")
    assert (sight.overflow > 0, sight.images, len(sight.console)) == (True, False, 1)
