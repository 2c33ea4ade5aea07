"""One task on a board and on a digital machine: time and energy, and their slopes."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Annotated, Any

import jax
import jax.numpy as jnp

from chipsweep import Keys
from experiments.validate import Checked, NonNegative, Positive, bounds
from thermo import scaling

DIMS = {"elasticity": ("quantity", "constant")}
VARIED = (
    "n_samples", "bits", "channel_rate", "settling", "interval",
    "digital_factor_rate", "digital_product_rate", "digital_overhead",
)  # fmt: skip
"""Constants that a time of sampling depends on."""
Duty = Annotated[float, bounds(1e-9, 0.999)]


class Constants(Checked):
    """Of board and machine; labels and sources: `thermo.scaling.SOURCES`.

    Attributes:
        n_samples: N of a task (INFERRED: 10,000).
        bits: of a number sent to or from the board.
        channel_rate: to and from the board, bit/s.
        settling: of the board, s.
        interval: between two samples of the board, s.
        power: of the board at work, without cells and converters, W (ASSUMED).
        cell_power: of each cell, W.
        conversion_energy: of each number to or from the board, J (ASSUMED).
        accumulation_rate: of products added up for a covariance, flop/s (ASSUMED).
    """

    n_samples: Positive = 1e4
    bits: Positive = 16.0
    channel_rate: Positive = 1.25e12
    settling: NonNegative = 1e-5
    interval: Positive = 1e-6
    power: Positive = 10.0
    cell_power: NonNegative = 1e-5
    conversion_energy: NonNegative = 3e-9
    accumulation_rate: Positive = 2e13


class Run(Constants):
    """What one task depends on.

    Attributes:
        dimension: d.
        duty: part of its time that the board works.
        error: relative, of an inverse.
        speed: factor on the rates of the digital machine.
        digital_factor_rate: of its factorisations, flop/s.
        digital_product_rate: of its products, flop/s.
        digital_normal_time: of its normals, s each; 0 leaves them out.
        digital_overhead: of each of its tasks, s.
        digital_power: at work, W.
        digital_idle: between tasks, W.
    """

    dimension: Positive = 1e4
    duty: Duty = 0.1
    error: Positive = 0.1
    speed: Positive = 1.0
    digital_factor_rate: Positive = 1e13
    digital_product_rate: Positive = 2e13
    digital_normal_time: NonNegative = 0.0
    digital_overhead: NonNegative = 2e-4
    digital_power: Positive = 300.0
    digital_idle: NonNegative = 22.0


def board_and_machine(point: Any) -> tuple[scaling.Board, scaling.Machine]:
    """The board and the machine of a point."""
    own = {f.name for f in fields(scaling.Board)} & set(Constants.__annotations__)
    board = scaling.Board(**{name: getattr(point, name) for name in own})
    slow = jnp.asarray(point.digital_normal_time)
    machine = scaling.Machine(
        factor_rate=point.digital_factor_rate * point.speed,
        product_rate=point.digital_product_rate * point.speed,
        normal_rate=jnp.where(slow > 0, 1 / jnp.where(slow > 0, slow, 1), jnp.inf),
        overhead=point.digital_overhead,
        power=point.digital_power,
        idle=point.digital_idle,
    )
    return board, machine


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Time and energy of one task on both machines.

    Returns:
        `board_time`, `digital_time`, s, and `board_energy`, `digital_energy`, J, of
        sampling; `crossover`: dimensions above which the board is faster;
        `power_bound`: W that it may draw; `standby`: W that it may draw between tasks
        at this duty; `inverse`, `inverse_on_board`: times that the digital inverse
        takes longer, if products are added up digitally, and on the board.
    """
    del chip, keys
    board, machine = board_and_machine(point)
    d, n = point.dimension, point.n_samples
    ours, theirs = (scaling.sampling(of, d, n) for of in (board, machine))
    rate = point.duty / ours.seconds
    adds = replace(board, accumulation_rate=jnp.inf)
    return {
        "board_time": ours.seconds,
        "digital_time": theirs.seconds,
        "board_energy": ours.joules,
        "digital_energy": theirs.joules,
        "crossover": scaling.crossover(board, machine, n),
        "power_bound": scaling.break_even_power(board, machine, d, n),
        "standby": scaling.standby_budget(board, machine, d, n, rate),
        "inverse": scaling.inversion_speedup(board, machine, d, point.error).seconds,
        "inverse_on_board": scaling.inversion_speedup(
            adds, machine, d, point.error
        ).seconds,
    }


def elasticities(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """By how many percent the anchors move if a constant grows by one percent.

    Returns:
        `elasticity` of the crossover and of the speed-up at the dimension, by constant;
        0 where there is no crossover.
    """
    del chip, keys

    def anchors(logs: jax.Array) -> tuple[jax.Array, jax.Array]:
        grown = zip(VARIED, logs, strict=True)
        moved: Any = _Moved(
            point, {n: getattr(point, n) * jnp.exp(x) for n, x in grown}
        )
        board, machine = board_and_machine(moved)
        faster = scaling.speedup(board, machine, point.dimension, moved.n_samples)
        crossing = scaling.crossover(board, machine, moved.n_samples)
        both = jnp.stack([crossing, faster.seconds])
        return both, both

    slopes, values = jax.jacfwd(anchors, has_aux=True)(jnp.zeros(len(VARIED)))
    return {"elasticity": slopes / jnp.where(values > 0, values, 1)[:, None]}


class _Moved:
    """A point with some of its fields changed."""

    def __init__(self, point: Any, changes: Mapping[str, Any]):
        self._point, self._changes = point, changes

    def __getattr__(self, name: str) -> Any:
        changes = self._changes
        return changes[name] if name in changes else getattr(self._point, name)
