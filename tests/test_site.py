"""The site shows everything there is: each experiment, each namespace, each link."""

import ast
import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import EXPERIMENTS
from experiments.claims import VERDICTS, read_csv

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def test_every_experiment_has_its_page():
    named = {path.stem for path in (DOCS / "experiments").glob("*.md")} - {"index"}
    assert named == set(EXPERIMENTS)
    listed = (DOCS / "experiments" / "index.md").read_text()
    assert all(re.search(rf"^{name}$", listed, re.M) for name in EXPERIMENTS)


def test_every_namespace_with_public_names_has_its_page():
    found = set()
    for package in ("eapu_jax", "thermo", "chipsweep", "prng"):
        for file in (ROOT / package).rglob("__init__.py"):
            if any(
                isinstance(n, ast.ImportFrom) for n in ast.parse(file.read_text()).body
            ):
                found.add(".".join(file.parent.relative_to(ROOT).parts))
    paged = {path.stem for path in (DOCS / "api").glob("*.md")}
    assert found <= paged


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
    for link in links:
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_what_was_measured_is_a_table():
    for file in (DOCS / "measured").glob("*.csv"):
        header, *rows = csv.reader(file.read_text().splitlines())
        assert rows
        assert {len(row) for row in rows} == {len(header)}


def test_the_claims_are_those_of_experiments_that_there_are():
    found = read_csv(DOCS / "measured" / "claims.csv")
    assert found
    assert set(found) <= set(EXPERIMENTS)
    assert {c.verdict for rows in found.values() for c in rows} <= set(VERDICTS)


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    words = ["-m", "sphinx", "--fail-on-warning", "-q", "-b", "dirhtml"]
    done = subprocess.run(
        [sys.executable, *words, str(DOCS), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "<math" in (tmp_path / "api" / "eapu_jax.laws" / "index.html").read_text()
    page = (tmp_path / "index.html").read_text()
    assert not re.search(
        r"(?:src|href)=.https?://(?!github)", page.split("<body", 1)[0]
    )
