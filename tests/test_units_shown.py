"""What the site shows of the source: units as readers know them, no codes of ours.

Docstrings are read from the source, without their examples and spans of code.
"""

import ast
import re
from pathlib import Path

import pytest

from experiments import EXPERIMENTS
from experiments.catalogue import about, find

ROOT = Path(__file__).parents[1]
PACKAGES = ("eapu_jax", "thermo", "chipsweep", "prng")
ELSEWHERE = {*(ROOT / "experiments" / "deep").rglob("*.py")}  # not yet
UNITS = re.compile(
    r"(?:(?<=[\d,;=/²] )|(?<=[(/\d])|(?<=per )|(?<=in ))u[SsAVWJFHm]\b(?! (?:to|all)\b)"
    r"|\b[kM]?[oO]hm\b(?!'s)|\buS\b"
)
CODES = re.compile(r"eps_cell|\bdW_th\b|\|dW\||\bN_up\b|\bSEED\b|\bSPU-F\d|\bEaPU-F\d")


def prose(text):
    """A docstring without examples and code."""
    text = re.sub(r"^ *>>> .*?(?:\n\s*\n|\Z)", "", text, flags=re.S | re.M)
    return re.sub(r"`[^`]*`|\"[^\"\n]*\"", "", text)


def docstrings(path):
    """Every text of a module that stands alone: docstrings, also of constants."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield prose(str(node.value.value))


@pytest.mark.parametrize("package", [*PACKAGES, "experiments"])
def test_docstrings_have_units_and_words(package):
    found = {}
    for path in sorted({*(ROOT / package).rglob("*.py")} - ELSEWHERE):
        bad = [t for t in docstrings(path) if UNITS.search(t) or CODES.search(t)]
        found |= {str(path): bad} if bad else {}
    assert not found


def test_what_is_reproduced_is_told_in_words():
    told = {name: about(name)[0] for name in EXPERIMENTS}
    assert not {n: t for n, t in told.items() if UNITS.search(t) or CODES.search(t)}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_units_are_those_of_outputs_that_there_are(name):
    module = find(name)
    named = getattr(module, "UNITS", {})
    assert set(named) <= set(module.DIMS)
    assert not [unit for unit in named.values() if UNITS.search(unit)]


def test_the_patterns_know_what_they_are_to_refuse():
    for bad in ("SD, uS.", "1/us", "2 uV", "kOhm", "in us", "4 ohm", "(us)", "mA² us"):
        assert UNITS.search(bad), bad
    for good in ("µS", "Ohm's law", "tell us to", "RC, µs", "kΩ", "bus", "in use"):
        assert not UNITS.search(good), good
    assert CODES.search("|dW| / dW_th")
    assert not CODES.search("ΔW_th / R_wg")
    assert "uS" not in prose("x, `g_uS`.\n\n>>> f('uS')\n1 uS\n\nrest")
