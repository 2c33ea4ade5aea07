"""Experiments by name."""

import importlib
from types import ModuleType
from typing import Any

from chipsweep.suggest import suggest
from experiments import EXPERIMENTS

__all__ = ["config", "find", "presets", "require", "suggest"]


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
        raise ValueError(f"unknown experiment {name!r}{suggest(name, EXPERIMENTS)}")


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
        hint = suggest(preset, known)
        raise ValueError(f"unknown preset {preset!r} of {where}{hint}")
    return known[preset]
