"""The recipes of the site run from top to bottom, and print what they say they print."""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import jax
import numpy as np
import pytest

RECIPES = Path(__file__).parents[1] / "docs" / "recipes"
PAGES = sorted(p.stem for p in RECIPES.glob("*.md") if p.stem != "index")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
NEEDS = re.compile(r"# needs (\w+)\n")
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)")


def blocks(page):
    return BLOCK.findall((RECIPES / f"{page}.md").read_text())


def missing(code):
    """The package that a block says it needs, where it is not installed."""
    needed = NEEDS.match(code)
    return needed and importlib.util.find_spec(needed[1]) is None


def printed(page):
    """What each block that runs prints, beside what the page says: jax as it comes."""
    found, pairs, waiting = {"__name__": page}, [], False
    for language, content in blocks(page):
        if language == "python" and (waiting := not missing(content)):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(content, f"{page}.md", "exec"), found)
            pairs.append([out.getvalue(), ""])
        elif language == "text" and waiting:
            pairs[-1][1], waiting = content, False
    return pairs


def numbers(text):
    return [(one, float(one)) for one in NUMBER.findall(text)]


def assert_alike(got, said):
    """The same words, the same whole numbers; other numbers within a tenth."""
    words = [NUMBER.sub("#", t).split() for t in (got, said)]
    assert words[0] == words[1], f"printed:\n{got}"
    for (a, x), (b, y) in zip(numbers(got), numbers(said), strict=True):
        if a.lstrip("+-").isdigit() and b.lstrip("+-").isdigit():
            assert x == y, f"printed:\n{got}"
        else:
            np.testing.assert_allclose(x, y, rtol=0.1, atol=0.01, err_msg=got)


@pytest.mark.parametrize("page", PAGES)
def test_a_recipe_prints_what_its_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        for got, said in printed(page):
            assert_alike(got, said)


def test_every_page_is_in_the_table_of_contents_and_has_code():
    listed = re.search(
        r"```{toctree}\n(.*?)```", (RECIPES / "index.md").read_text(), re.S
    )
    assert (
        sorted(listed[1].split()[2:] if ":" in listed[1] else listed[1].split())
        == PAGES
    )
    for page in PAGES:
        assert any(language == "python" for language, _ in blocks(page)), page
