"""Which array a name stands for: a preset, or a device of your own, from a file."""

from functools import cache
from pathlib import Path
from typing import Annotated

import eapu_jax as ej
from experiments.validate import Rule

PRESETS: dict[str, ej.Crossbar] = {
    k: v for k, v in vars(ej.presets).items() if isinstance(v, ej.Crossbar)
}
_WORDS = f"one of {', '.join(PRESETS)}, or the file of a device, *.toml"


def crossbar_named(name: str) -> ej.Crossbar:
    """The array of a name, before any chip strays from it.

    Raises:
        ValueError: if it is a file that `eapu_jax.load_device` refuses.
    """
    return PRESETS[name] if name in PRESETS else _loaded(name).crossbar


def spread_named(name: str) -> ej.Spread | None:
    """How chips of a device stray; None: they do not."""
    if name not in PRESETS and name.endswith(".toml"):
        spread = _loaded(name).spread
        return spread if spread.chip_to_chip or spread.cell_to_cell else None
    return None


def label(name: str) -> str:
    """A short name, for folders."""
    return Path(name).stem.lower()


def state(name: str) -> tuple[int, int] | None:
    """What changes when a file does; None of a preset."""
    if name in PRESETS or not Path(name).is_file():
        return None
    stat = Path(name).stat()
    return stat.st_mtime_ns, stat.st_size


def _loaded(name: str):
    return _read(name, state(name))


@cache
def _read(name: str, now: tuple[int, int] | None):
    """A file, read again when it has changed."""
    del now
    return ej.load_device(name)


def _known(name: str) -> bool:
    if name in PRESETS:
        return True
    return name.endswith(".toml") and _loaded(name) is not None


Device = Annotated[str, Rule(f"must be {_WORDS}", _known)]
"""An array with a device of its own."""
CrossbarName = Annotated[
    str, Rule(f"must be additive, {_WORDS}", lambda v: v == "additive" or _known(v))
]
"""Which array: `experiments.memristor.training.crossbar` says what the names mean."""
