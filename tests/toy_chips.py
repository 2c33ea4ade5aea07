"""An experiment that offers one chip: for the tests of the engine's commands."""

from dataclasses import dataclass

from tests.toy_sweeps import walk

REPRODUCES = "a toy: nothing"


@dataclass(frozen=True, kw_only=True)
class Training:
    mean: float = 0.0
    noise: float = 0.5
    length: int = 5


@dataclass(frozen=True, kw_only=True)
class Config:
    seed: int = 0
    length: int = 5


PRESETS = {"smoke": Config(length=2)}


def defaults(config):
    return Training(length=config.length)


def simulate(point, chip, keys, trace=False):
    assert isinstance(point.length, int)
    return walk(point, chip, keys.chip, trace)
