"""`joules`: what a multiplication takes on the machine that is there."""

import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import tyro
from rich.console import Console

from eapu_jax.checks import number, whole
from experiments.commands import meters
from experiments.commands.meters import Found

Finder = Callable[[str, int], Found]


class Reading(NamedTuple):
    """One repetition, for a multiplication with its addition.

    Attributes:
        seconds: that it took.
        joules: that it took; None without a meter.
    """

    seconds: float
    joules: float | None


class Spread(NamedTuple):
    """Over repetitions: least, middle, largest."""

    low: float
    value: float
    high: float

    @classmethod
    def of(cls, xs: list[float]) -> "Spread":
        """The spread of these."""
        return cls(min(xs), statistics.median(xs), max(xs))


def command(
    console: Console, find: Finder = lambda *device: meters.find(*device)
) -> Callable[..., int]:
    """The command, which prints on a console what a meter says."""

    def joules(
        size: Annotated[int, tyro.conf.arg(help="rows and columns")] = 4096,
        repetitions: Annotated[int, tyro.conf.arg(help="for the spread")] = 5,
        seconds: Annotated[float, tyro.conf.arg(help="of one, at least")] = 2.0,
        kind: Annotated[
            Literal["float32", "bfloat16", "float16"], tyro.conf.arg(help="of numbers")
        ] = "float32",
    ) -> int:
        """Measure the energy of a multiplication with its addition on this machine.

        Products of square matrices on jax's default device, in its default precision,
        between two readings of
        an energy counter of Linux or beside samples of an NVIDIA card's power. Where
        neither can be read there are times and no joules. Power is that of the whole
        processor or card, idle draw and neighbours included.
        """
        whole("size", size, at_least=1)
        whole("repetitions", repetitions, at_least=1)
        number("seconds", seconds, above=0)
        at_least = f"{seconds * (repetitions + 1):.0f} s at least"
        console.print(f"{repetitions} repetitions and a start: {at_least}")
        product, device = _product(size, kind)
        found = find(device.platform, device.local_hardware_id or 0)
        read = measured(product, size**3, found, repetitions, seconds)
        what = f"{device.device_kind}, {kind} products of {size} x {size}"
        for line in lines(what, read, found):
            console.print(line, soft_wrap=True)
        return 0

    return joules


def _product(size: int, kind: str) -> tuple[Callable[[int], None], Any]:
    """So many products and a wait for all of them, and the device they are made on."""
    import jax
    import jax.numpy as jnp

    x, w = jax.random.normal(jax.random.key(0), (2, size, size), jnp.dtype(kind))
    once = jax.jit(jnp.matmul)

    def products(n: int) -> None:
        y = x
        for _ in range(n):
            y = once(x, w)
        jax.block_until_ready(y)

    return products, next(iter(x.devices()))


def measured(
    products: Callable[[int], None],
    macs: int,
    found: Found,
    repetitions: int,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Reading]:
    """Repeat so many products that each repetition takes the seconds, at least.

    Args:
        products: makes so many of them and waits.
        macs: multiplications of one.
        found: the meter.
        repetitions: of the measurement.
        seconds: of one.
        clock: in seconds.
    """
    n = _enough(products, seconds, clock)
    return [_reading(products, n, macs, found, clock) for _ in range(repetitions)]


def _enough(
    products: Callable[[int], None], seconds: float, clock: Callable[[], float]
) -> int:
    """Products that take the seconds; the machine is warm and compiled by then."""
    products(1)
    n = 1
    while True:
        start = clock()
        products(n)
        took = clock() - start
        if took >= seconds:
            return n
        n = max(n + 1, min(10 * n, round(1.2 * n * seconds / max(took, 1e-9))))


def _reading(
    products: Callable[[int], None],
    n: int,
    macs: int,
    found: Found,
    clock: Callable[[], float],
) -> Reading:
    took = []

    def do() -> None:
        start = clock()
        products(n)
        took.append(clock() - start)

    drawn = None
    if found.meter is None:
        do()
    else:
        drawn = found.meter.joules(do) / (n * macs)
    return Reading(took[0] / (n * macs), drawn)


def lines(what: str, read: list[Reading], found: Found) -> list[str]:
    """What is said of the readings.

    Example:
        >>> lines("a toy", [Reading(1e-12, None)], Found(None, "it has no meter"))
        ['a toy, 1 repetitions (median, least to largest)',
         'time: 1 ps per multiplication with its addition (1 to 1)',
         'energy: not measured, it has no meter']
    """
    t = Spread.of([one.seconds for one in read])
    shown = [
        f"{what}, {len(read)} repetitions (median, least to largest)",
        f"time: {_pico(t, 's')}",
    ]
    drawn = [one.joules for one in read if one.joules is not None]
    if found.meter is None or not drawn:
        return [*shown, f"energy: not measured, {found.why}"]
    e = Spread.of(drawn)
    source = f"{what}; {found.meter.name}"
    return [
        *shown,
        f"energy: {_pico(e, 'J')}; {found.meter.name}",
        "as a machine, after `from eapu_jax import cost`:",
        f"cost.digital(cost.Constant(value={e.value:.4g}, low={e.low:.4g},"
        f" high={e.high:.4g}, source={source!r}, label='OWN'))",
    ]


def _pico(spread: Spread, unit: str) -> str:
    low, value, high = (1e12 * x for x in spread)
    words = "per multiplication with its addition"
    return f"{value:.3g} p{unit} {words} ({low:.3g} to {high:.3g})"
