"""Experiments by name."""

import ast
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments import EXPERIMENTS

__all__ = ["about", "config", "find", "presets", "require"]


def find(name: str) -> ModuleType:
    """The module of an experiment.

    Raises:
        ValueError: if there is none of this name.
    """
    require(name)
    return importlib.import_module(EXPERIMENTS[name])


def require(name: str) -> None:
    """Refuse a name that is not known, importing nothing.

    Raises:
        ValueError: if there is no experiment of this name.
    """
    if name not in EXPERIMENTS:
        from chipsweep.suggest import suggest  # with all of chipsweep: seconds

        raise ValueError(f"unknown experiment {name!r}{suggest(name, EXPERIMENTS)}")


def about(name: str) -> tuple[str, list[str]]:
    """What an experiment reproduces, and its presets: read from its text.

    To import all experiments would take seconds. What the text does not say plainly is
    asked of the module.
    """
    spec = importlib.util.find_spec(EXPERIMENTS[name])
    assert spec is not None
    assert spec.origin is not None
    said = {}
    for line in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            said[line.targets[0].id] = line.value
    try:
        keys = [ast.literal_eval(key) for key in said["PRESETS"].keys]
        return ast.literal_eval(said["REPRODUCES"]), ["default", *keys]
    except (KeyError, AttributeError, ValueError, TypeError):
        module = find(name)
        return module.REPRODUCES, [*presets(module)]


def presets(module: ModuleType) -> dict[str, Any]:
    """Configs by preset: "default" (reduced scale) and the module's own."""
    return {"default": module.Config(), **module.PRESETS}


def config(module: ModuleType, preset: str) -> Any:
    """The config of a preset.

    Raises:
        ValueError: if the module has no such preset.
    """
    known = presets(module)
    if preset not in known:
        where = module.__name__.rpartition(".")[2]
        from chipsweep.suggest import suggest

        hint = suggest(preset, known)
        raise ValueError(f"unknown preset {preset!r} of {where}{hint}")
    return known[preset]
