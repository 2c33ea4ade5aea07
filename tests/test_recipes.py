"""The recipes of the site run from top to bottom, and print what their pages say."""

import ast
import contextlib
import importlib.util
import io
import re
from pathlib import Path

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "docs" / "recipes"
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
    index = (RECIPES / "index.md").read_text()
    listed = re.search(r"```{toctree}\n(.*?)```", index, re.S)
    assert listed
    names = [line for line in listed[1].splitlines() if line.isidentifier()]
    assert sorted(names) == PAGES
    for page in PAGES:
        assert any(language == "python" for language, _ in blocks(page)), page


def texts():
    """Every text of the packages, with … for what is filled in."""
    for package in ("prng", "eapu_jax", "thermo", "chipsweep", "experiments"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(getattr(v, "value", "…"))
                        if isinstance(v, ast.Constant)
                        else "…"
                        for v in node.values
                    )
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_every_symptom_of_the_questions_is_a_message_of_ours():
    page = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    symptoms = re.findall(r"^### ``(.*)``$", page, re.M)
    assert len(symptoms) >= 15
    assert len(symptoms) == page.count("\n### ")
    left = {s: [p.strip() for p in s.split("…") if p.strip(" .,:")] for s in symptoms}
    for text in texts():
        said = text.replace("`", "")
        left = {s: parts for s, parts in left.items() if not in_order(parts, said)}
    assert not left
    assert not [symptom for symptom in symptoms if "`" in symptom]


def in_order(parts, text):
    """Whether a text has these parts, one behind the other."""
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return bool(parts)
