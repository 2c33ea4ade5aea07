"""Whether a test sees a fault: the likeliest tests first, until one fails."""

from collections.abc import Iterable
from typing import NamedTuple

from tests.mutants.copy import Copy, Ended
from tests.mutants.reach import Test
from tests.mutants.sites import Site, sown

FIRST = 8.0  # seconds of tests in the first of two runs, most faults die there
FILES = 3  # files in it: to import one takes longer than most of its tests
START = 300.0  # seconds that a run may take to import, collect and compile, which
# tests that were measured beside others found done
SLOWER = 5.0  # a test that takes so many times its time has seen the fault


class Verdict(NamedTuple):
    """What became of a fault."""

    verdict: str  # killed, survived or unreached
    by: str
    seconds: float


def judge(copy: Copy, site: Site, tests: Iterable[Test], patience: float) -> Verdict:
    """Sow one fault, run the tests that reach it, and mend it again.

    Args:
        copy: the tree.
        site: the fault.
        tests: all of the core.
        patience: seconds of tests, as measured without a fault, at most.
    """
    source, spent = copy.read(site.file), 0.0
    copy.write(site.file, sown(source, site))
    try:
        for batch in _batches(_likeliest(site, list(tests)), patience):
            limit = START + SLOWER * sum(test.seconds for test in batch)
            ended = copy.run([test.name for test in batch], limit, ["-x"])
            spent += ended.seconds
            if ended.code != 0:
                return Verdict("killed", _cause(ended), spent)
    finally:
        copy.write(site.file, source)
    return Verdict("survived" if spent else "unreached", "", spent)


def _likeliest(site: Site, tests: list[Test]) -> list[Test]:
    """Tests that enter the function, those that enter its module, others beside them.

    Cheap ones first. A function that is compiled already, or was named otherwise when
    the tests were measured, is entered without anybody noting it.
    """
    module = f"{site.file}:"
    entered = [test for test in tests if _reaches(test, site)]
    near = [t for t in tests if any(r.startswith(module) for r in t.reached)]
    files = {test.file for test in entered or near}
    beside = [test for test in tests if test.file in files]
    price = lambda test: test.seconds * (1 + len(test.reached) / 50)  # noqa: E731
    ranked = [t for some in (entered, near, beside) for t in sorted(some, key=price)]
    return list(dict.fromkeys(ranked))


def _reaches(test: Test, site: Site) -> bool:
    entered = f"{site.file}:{site.function}"
    return any(r == entered or r.startswith(f"{entered}.") for r in test.reached)


def _batches(tests: list[Test], patience: float) -> Iterable[list[Test]]:
    """A short run of a few files, then a long one, within the patience for a fault."""
    first, second, files = [], [], set()
    for test in tests:
        few = test.file in files or len(files) < FILES
        if few and sum(t.seconds for t in first) + test.seconds < FIRST:
            first.append(test)
            files.add(test.file)
        elif sum(t.seconds for t in second) + test.seconds < patience:
            second.append(test)
    return [batch for batch in (first, second) if batch]


def _cause(ended: Ended) -> str:
    """The test that saw the fault.

    Raises:
        RuntimeError: if pytest itself did not work, which is no verdict.
    """
    if ended.code is None:
        return "time-out"
    lines = [x for x in ended.output.splitlines() if x.startswith(("FAILED", "ERROR"))]
    if ended.code not in (1, 2) or not lines:
        raise RuntimeError(f"pytest ended with {ended.code}:\n{ended.output[-2000:]}")
    return lines[0].split(" - ")[0]
