"""Whether a test sees a fault: the likeliest tests first, until one fails."""

from collections.abc import Iterable
from typing import NamedTuple

from tests.mutants.copy import Copy
from tests.mutants.reach import Test
from tests.mutants.sites import Site, sown

PATIENCE = 150.0  # seconds of tests, as measured on the core as it is, for one fault
FIRST = 6.0  # seconds of tests in the first of two runs, most faults die there
START = 60.0  # seconds that a run may take to import, compile and collect
SLOWER = 5.0  # a test that takes so many times its time has seen the fault


class Verdict(NamedTuple):
    """What became of a fault."""

    verdict: str  # killed, survived or unreached
    by: str
    seconds: float


def judge(copy: Copy, site: Site, tests: Iterable[Test]) -> Verdict:
    """Sow one fault, run the tests that reach it, and mend it again."""
    source, spent = copy.read(site.file), 0.0
    copy.write(site.file, sown(source, site))
    try:
        for batch in _batches(_likeliest(site, list(tests))):
            limit = START + SLOWER * sum(test.seconds for test in batch)
            ended = copy.run([test.name for test in batch], limit, ["-x"])
            spent += ended.seconds
            if ended.code != 0:
                return Verdict("killed", _cause(ended), spent)
    finally:
        copy.write(site.file, source)
    return Verdict("survived" if spent else "unreached", "", spent)


def _likeliest(site: Site, tests: list[Test]) -> list[Test]:
    """Tests that enter the function, cheap ones first; then others of their files."""
    reached = [test for test in tests if _reaches(test, site)]
    if not reached:  # a module's own constants, or what only compiled code enters
        of_file = f"{site.file}:"
        reached = [t for t in tests if any(r.startswith(of_file) for r in t.reached)]
    files = {test.file for test in reached}
    names = {test.name for test in reached}
    others = [t for t in tests if t.file in files and t.name not in names]
    price = lambda test: test.seconds * (1 + len(test.reached) / 50)  # noqa: E731
    return sorted(reached, key=price) + sorted(others, key=price)


def _reaches(test: Test, site: Site) -> bool:
    entered = f"{site.file}:{site.function}"
    return any(r == entered or r.startswith(f"{entered}.") for r in test.reached)


def _batches(tests: list[Test]) -> Iterable[list[Test]]:
    """A short run, then a long one, within the patience for one fault."""
    first, second, total = [], [], 0.0
    for test in tests:
        total += test.seconds
        if total > PATIENCE and second:
            break
        (first if total <= FIRST or not first else second).append(test)
    return [batch for batch in (first, second) if batch]


def _cause(ended) -> str:
    if ended.code is None:
        return "time-out"
    lines = [line for line in ended.output.splitlines() if line.startswith("FAILED")]
    lines += [line for line in ended.output.splitlines() if "rror" in line]
    return (lines or ["?"])[0].removeprefix("FAILED ")[:160]
