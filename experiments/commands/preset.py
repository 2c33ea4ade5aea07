"""`--preset NAME`: where the flags of an experiment start from."""

import itertools
from collections.abc import Sequence
from types import ModuleType
from typing import Annotated, Any

import tyro

from experiments import catalogue

__all__ = ["field", "wanted"]


def wanted(argv: Sequence[str]) -> str:
    """The preset must be known before the flags are: it sets their defaults.

    Example:
        >>> wanted(["--chips", "3", "--preset=smoke"]), wanted([])
        ('smoke', 'default')
    """
    for flag, value in itertools.pairwise([*argv, ""]):
        if flag == "--preset":
            return value
        if flag.startswith("--preset="):
            return flag.partition("=")[2]
    return "default"


def field(module: ModuleType, preset: str) -> tuple[str, Any, str]:
    """The flag, for `arguments.flags`."""
    known = ", ".join(catalogue.presets(module))
    told = tyro.conf.arg(help=f"start from one of {known}; flags change it")
    return "preset", Annotated[str, told], preset
