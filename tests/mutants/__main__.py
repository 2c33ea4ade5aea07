"""Sow seeded faults into the numerical core and count those that the tests see.

`python -m tests.mutants [--seed S] [--count N] [--only FILE] [--resume]`; slow: an
hour on one core. Which tests reach which functions is measured first, and kept.
Exits with 1 where fewer than the wanted share is seen.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.mutants.copy import ROOT, Copy, load_others, numerical_core
from tests.mutants.judge import judge
from tests.mutants.reach import measured, replace
from tests.mutants.sites import Site, sites

EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def main() -> int:
    """Judge the faults that are asked for; the share of those seen decides."""
    asked = _arguments()
    os.nice(5)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(asked.folder / "compiled"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
    load_others()
    asked.folder.mkdir(parents=True, exist_ok=True)
    kept = asked.folder / "verdicts.jsonl"
    records = _records(kept) if asked.resume or asked.survivors else {}
    if asked.survivors:
        records = {n: r for n, r in records.items() if r["verdict"] == "killed"}
    with tempfile.TemporaryDirectory() as place:
        copy = Copy(Path(place) / "tree")
        tests = measured(copy, asked.folder / "reach.json", _say)
        _confirm_collected(copy, sorted({test.file for test in tests}))
        there = {test.name for test in tests} | {None}
        records = {n: r for n, r in records.items() if _seen_by(r) in there}
        drawn = sample(_all_sites(asked.only), asked.count, asked.seed)
        excused = equivalents()
        chosen = [site for site in drawn if site.name not in excused]
        for number, site in enumerate(chosen, 1):
            if site.name not in records:
                verdict = judge(copy, site, tests, asked.patience)
                records[site.name] = {
                    "fault": site.name,
                    "line": site.line,
                } | verdict._asdict()
                replace(kept, "".join(json.dumps(r) + "\n" for r in records.values()))
            record = records[site.name]
            spent = f"{record['seconds']:.0f} s"
            _say(f"{number}/{len(chosen)} {record['verdict']} {spent} {site.name}")
        judged = [records[site.name] for site in chosen]
        _confirm(copy, judged)
    return _report(judged, len(drawn) - len(chosen), asked.wanted)


def _confirm_collected(copy: Copy, files: list[str]) -> None:
    """A file that cannot be read without a fault would seem to see every one."""
    ended = copy.run(files, 600.0, ["--collect-only"])
    if ended.code != 0:
        sys.exit(f"error: tests are not found without a fault:\n{ended.output[-3000:]}")


def _confirm(copy: Copy, judged: list[dict]) -> None:
    """The tests that saw a fault must pass without one, or they saw nothing."""
    names = sorted({name for record in judged if (name := _seen_by(record))})
    ended = copy.run(names, 3600.0)
    if names and ended.code != 0:
        sys.exit(f"error: tests fail without any fault:\n{ended.output[-3000:]}")


def _seen_by(record: dict) -> str | None:
    """The test that saw a fault; None if nothing saw it, or it let nothing start."""
    how, _, name = record["by"].partition(" ")
    return name if how == "FAILED" else None


def sample(found: list[Site], count: int, seed: int) -> list[Site]:
    """Some of every module, in proportion to its sites; a draw that edits leave alone.

    Sites are ranked by a hash of their names: where code changes elsewhere, the
    same ones are chosen, and their verdicts are kept.
    """
    modules: dict[str, list[Site]] = {}
    for site in found:
        modules.setdefault(site.file, []).append(site)
    share = {m: count * len(s) / len(found) for m, s in modules.items()}
    quota = {m: int(part) for m, part in share.items()}
    rest = sorted(share, key=lambda m: quota[m] - share[m])
    for module in rest[: count - sum(quota.values())]:
        quota[module] += 1
    rank = lambda site: hashlib.sha256(f"{seed} {site.name}".encode()).digest()  # noqa: E731
    chosen = [s for m in modules for s in sorted(modules[m], key=rank)[: quota[m]]]
    return sorted(chosen, key=rank)  # so that the first few are a fair draw, too


def _all_sites(only: str | None) -> list[Site]:
    files = [file for file in numerical_core() if only in (None, file)]
    if not files:
        sys.exit(f"error: --only must be a module of the core, got {only!r}")
    return [s for file in files for s in sites(file, (ROOT / file).read_text())]


def _records(path: Path) -> dict[str, dict]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {record["fault"]: record for record in map(json.loads, lines)}


def _report(real: list[dict], equal: int, wanted: float) -> int:
    """A table by module, the survivors, and whether enough were killed."""
    for record in real:
        if record["verdict"] != "killed":
            _say(f"{record['verdict']}: {record['fault']}")
    parts: dict[str, list[bool]] = {}
    for record in real:
        part = record["fault"].split(":")[0]
        parts.setdefault(part, []).append(record["verdict"] == "killed")
    for part, killed in sorted(parts.items()):
        _say(f"{part:44} {sum(killed):3} of {len(killed):3}")
    killed = sum(record["verdict"] == "killed" for record in real)
    share = 100 * killed / max(len(real), 1)
    _say(f"killed {killed} of {len(real)}, {share:.1f} %; {equal} change no behaviour")
    return int(share < wanted)


def equivalents() -> dict[str, str]:
    """Faults that change no behaviour within the documented domain, and why."""
    listed = tomllib.loads(EQUIVALENT.read_text()).get("equivalent", [])
    return {entry["fault"]: entry["why"] for entry in listed}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=160)
    parser.add_argument("--only", help="one module, such as eapu_jax/laws.py")
    parser.add_argument("--folder", type=Path, default=ROOT / "results" / "mutants")
    parser.add_argument("--patience", type=float, default=60, help="s of tests each")
    parser.add_argument("--wanted", type=float, default=93.0, help="per cent seen")
    parser.add_argument("--resume", action="store_true", help="keep all verdicts")
    parser.add_argument(
        "--survivors", action="store_true", help="judge again what was not killed"
    )
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
