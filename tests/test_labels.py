"""What figures, captions and claims say: words and units, no codes of our own.

Read off the source: every text of a figure's module, and every text anywhere in the
experiments that tells a quantity with its unit.
"""

import ast
import re
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
FIGURES = sorted(EXPERIMENTS.rglob("*_figure.py"))
ALL = [
    p
    for p in sorted(EXPERIMENTS.rglob("*.py"))
    if not {"traces", "voltages.py"} & {*p.parts}
]

ASCII_UNIT = re.compile(r"(?:[\d}] |\(|^1/|^)u[SsAVFHJ](?=$|[);,]| [^a-z]| at )")
CODES = re.compile(r"N_up|T\*|eps_cell|SEED|`|\bdW\b|dW_th")


def texts(path):
    """String literals of a module, and whether each is a docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    inner = {
        id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [
                v.value if isinstance(v, ast.Constant) else "}" for v in node.values
            ]
            yield "".join(map(str, parts))
        elif id(node) not in alone | inner and isinstance(node, ast.Constant):
            yield str(node.value)


@pytest.mark.parametrize("path", FIGURES, ids=lambda p: p.stem)
def test_a_figure_speaks_in_words(path):
    assert not [text for text in texts(path) if CODES.search(text)]


def test_units_are_written_as_readers_know_them():
    found = {p.name: [t for t in texts(p) if ASCII_UNIT.search(t)] for p in ALL}
    assert not {name: those for name, those in found.items() if those}


def test_the_patterns_know_what_they_are_to_refuse():
    for bad in ("SD (uS)", "at 2 uS", "RC = } us; bands", "uS", "1/uS"):
        assert ASCII_UNIT.search(bad)
    for good in ("µS", "bus", "us to see", "output", "SD 2 µS", "UNKNOWN to us"):
        assert not ASCII_UNIT.search(good)
