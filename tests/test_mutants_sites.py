"""Faults that can be sown: each changes one place, and only code."""

import ast

from tests.mutants.copy import ROOT, numerical_core
from tests.mutants.sites import sites, sown

TEXT = '''
"""Text 1 + 1."""
__all__ = ["f"]


def f(x: int = 3) -> "1 + 1":
    """More text, 2 * 2."""
    check(x)
    if x < 0:
        raise ValueError(f"x must be >= {0}, got {x - 1}")
    return x * 1.5  # 1 + 1
'''


def test_every_fault_changes_one_place_of_the_code():
    found = {(site.old, site.new) for site in sites("f.py", TEXT)}
    assert found == {
        ("3", "4"),
        ("check(x)", "pass"),
        ("x < 0", "(x <= 0)"),
        ("x < 0", "(x >= 0)"),
        ("0", "1"),
        ("x * 1.5", "(x / 1.5)"),
        ("1.5", "1.6500000000000001"),
        ("return x * 1.5", "return (-(x * 1.5))"),
    }


def test_every_fault_of_the_core_can_be_read_by_python_and_has_a_name_of_its_own():
    for file in numerical_core():
        source = (ROOT / file).read_text()
        found = sites(file, source)
        assert len({site.name for site in found}) == len(found)
        for site in found[::9]:
            changed = sown(source, site)
            assert changed != source
            ast.parse(changed)
