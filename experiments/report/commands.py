"""The commands that make a result again."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments import catalogue
from experiments.results import provenance

__all__ = ["again", "redraw", "rerun"]

_PROGRAM = ("python", "-m", "experiments")


def redraw(name: str, path: Path) -> str:
    """Draw a stored result again.

    Example:
        >>> redraw("threshold", Path("results/threshold.nc"))
        'python -m experiments plot threshold'
        >>> redraw("threshold", Path("results/threshold-smoke.nc"))
        'python -m experiments plot threshold --file results/threshold-smoke.nc'
    """
    if path.stem == name:
        return _line("plot", name, *_in(path.parent))
    return _line("plot", name, "--file", str(path))


def rerun(
    name: str,
    results: Path,
    module: ModuleType | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> str:
    """Compute a result again: with its preset if it has one, else with flags.

    Args:
        name: of the experiment.
        results: folder of the results.
        module: the experiment; without it, the default config is meant.
        attrs: of the result, with its `config` and `config_hash`.
    """
    if module is None or attrs is None:
        return _line("run", name, *_in(results))
    known = catalogue.presets(module)
    for preset, config in known.items():
        if attrs.get("config_hash") == provenance.config_hash(config):
            chosen = [] if preset == "default" else ["--preset", preset]
            return _line("run", name, *chosen, *_in(results))
    default = json.loads(provenance.config_json(known["default"]))
    config = json.loads(attrs["config"])
    changed = {k: v for k, v in config.items() if k not in default or default[k] != v}
    flags = [word for field, value in changed.items() for word in _flag(field, value)]
    return _line("run", name, *flags, *_in(results))


def again(command: str, results: Path) -> str:
    """The command of a sweep, for a folder of results.

    Example:
        >>> again("python -m experiments sweep chip_yield --chips 9", Path("/tmp/a"))
        'python -m experiments sweep chip_yield --chips 9 --results /tmp/a'
    """
    return shlex.join([*shlex.split(command), *_in(results)])


def _flag(field: str, value: Any) -> list[str]:
    flag = field.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", *map(str, value if isinstance(value, list) else [value])]


def _in(results: Path) -> list[str]:
    return [] if results == Path("results") else ["--results", str(results)]


def _line(*words: str) -> str:
    return shlex.join([*_PROGRAM, *words])
