"""What a number depends on: its config, its programs, its versions, its data."""

import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import xarray as xr

__all__ = ["commit", "config_hash", "config_json", "stamped", "text_hash"]

_SHOWN = ("jax", "jaxlib", "numpy", "optax", "diffrax", "flax", "xarray")


def config_json(config) -> str:
    """A config dataclass as JSON with sorted keys.

    Example:
        >>> @dataclasses.dataclass
        ... class Config:
        ...     seed: int = 0
        ...     noise: tuple[float, ...] = (1.0, 2.0)
        >>> config_json(Config())
        '{"noise": [1.0, 2.0], "seed": 0}'
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        return "{}"
    return json.dumps(dataclasses.asdict(config), sort_keys=True, default=str)


def config_hash(config) -> str:
    """Twelve hex digits that name a config, and its class."""
    return text_hash(f"{type(config).__module__} {config_json(config)}")


def text_hash(text: str) -> str:
    """Twelve hex digits that name a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def stamped(
    dataset: xr.Dataset, *, name: str, config, scale: str, programs: Mapping[str, str]
) -> xr.Dataset:
    """The dataset with attributes that say how to make it again.

    Adds `experiment`, `config` (JSON), `config_hash`, `programs` (JSON: the identity
    of every sweep behind it), `commit`, `versions`, `created` (UTC) and `scale`,
    unless the dataset already has it.
    """
    attrs = {
        "experiment": name,
        "config": config_json(config),
        "config_hash": config_hash(config),
        "programs": json.dumps(dict(programs), sort_keys=True),
        "commit": commit(),
        "versions": _versions(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "scale": dataset.attrs.get("scale", scale),
    }
    return dataset.assign_attrs(attrs)


def _versions() -> str:
    known = {d: _version(d) for d in _SHOWN}
    shown = [f"{d} {v}" for d, v in known.items() if v]
    return ", ".join([f"python {platform.python_version()}", *shown])


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def commit() -> str:
    """The checkout's commit, "+" if it has changes, "unknown" outside of git.

    Looked up once: ask when a run begins, as the checkout may move on meanwhile.
    """
    here = Path(__file__).resolve().parent
    git = ["git", "-C", str(here)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        changes = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")
