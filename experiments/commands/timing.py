"""`digital`: how long the machine that is there takes to sample a Gaussian."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console

from eapu_jax.checks import number, whole
from experiments.commands import meters
from experiments.commands.meters import Found
from experiments.commands.progress import say
from experiments.results.store import require_writable
from experiments.thermodynamic.digital import POWER, Timing, ascending, fitted, save

Finder = Callable[[str, int], Found]
Clock = Callable[[], float]
REPETITIONS = 5


def command(
    console: Console, find: Finder = lambda *device: meters.find(*device)
) -> Callable[..., int]:
    """The command, which says on a console what it found."""

    def digital(
        file: Annotated[Path, tyro.conf.arg(help="that is written")] = Path(
            "results/digital.toml"
        ),
        sizes: Annotated[tuple[int, ...], tyro.conf.arg(help="d, ascending")] = (
            *(64, 128, 256, 512, 1024),
        ),
        n_samples: Annotated[int, tyro.conf.arg(help="of a task")] = 10_000,
        watts: Annotated[
            float | None, tyro.conf.arg(help="at work, told instead of measured")
        ] = None,
    ) -> int:
        """Time this machine at sampling Gaussians, for `run spu_scaling --digital`.

        Cholesky factors, normals and products on jax's default device, in float32; the
        least of five times: neighbours only add. Power by the meter that `joules`
        reads, if there is one.
        """
        for n in sizes:
            whole("sizes", n, at_least=1)
        if not ascending(sizes):
            raise ValueError(f"sizes = {sizes}: must be two or more, ascending")
        whole("n_samples", n_samples, at_least=1)
        if watts is not None:
            number("watts", watts, above=0)
        require_writable(file.parent)
        device, tasks = _tasks(sizes, n_samples)
        found = find(device.platform, device.local_hardware_id or 0)
        timings = {d: timed(tasks[d]) for d in sizes}
        power, source = _power(tasks[sizes[-1]], found, watts)
        made = fitted(device.device_kind, timings, n_samples, power, source)
        save(made, file)
        for line in lines(made):
            console.print(line, soft_wrap=True)
        say(console, "digital", [file])
        return 0

    return digital


def _tasks(
    sizes: tuple[int, ...], n_samples: int
) -> tuple[Any, dict[int, dict[str, Callable[[], Any]]]]:
    """The device, and for every size the parts of a task, each of which waits."""
    import jax
    import jax.numpy as jnp
    import jax.random as jr

    key = jr.key(0)
    factor, product = jax.jit(jnp.linalg.cholesky), jax.jit(jnp.matmul)
    draw = jax.jit(jr.normal, static_argnums=1)

    def parts(d: int) -> dict[str, Callable[[], Any]]:
        matrix = jnp.eye(d) + jnp.ones((d, d)) / d
        root, normals = factor(matrix), draw(key, (d, n_samples))
        wait = jax.block_until_ready
        return {
            "factor": lambda: wait(factor(matrix)),
            "normals": lambda: wait(draw(key, (d, n_samples))),
            "product": lambda: wait(product(root, normals)),
        }

    return jax.devices()[0], {d: parts(d) for d in sizes}


def timed(
    parts: dict[str, Callable[[], Any]], clock: Clock = time.perf_counter
) -> Timing:
    """The least time of each part, once it is compiled: neighbours only add to it."""

    def least(do: Callable[[], Any]) -> float:
        do()
        took = []
        for _ in range(REPETITIONS):
            start = clock()
            do()
            took.append(clock() - start)
        return min(took)

    return Timing(**{name: least(do) for name, do in parts.items()})


def _power(
    parts: dict[str, Callable[[], Any]], found: Found, watts: float | None
) -> tuple[float, str]:
    """W, and where it is from."""
    if watts is not None:
        return watts, "told"
    if found.meter is None:
        return POWER, f"ASSUMED: not measured, {found.why}"
    took = []

    def work() -> None:
        start = time.perf_counter()
        while time.perf_counter() - start < 1.0:
            for do in parts.values():
                do()
        took.append(time.perf_counter() - start)

    joules = found.meter.joules(work)
    return joules / took[0], found.meter.name


def lines(made: Any) -> list[str]:
    """What is said of a machine."""
    fit = f"{made.slowest:.2f} to {made.fastest:.2f}"
    return [
        f"{made.name}: factorisations {made.factor_rate / 1e9:.3g} Gflop/s, products "
        f"{made.product_rate / 1e9:.3g} Gflop/s, normals {1e9 * made.normal_time:.3g} "
        f"ns each, overhead {1e3 * made.overhead:.3g} ms; fit over measured: {fit}",
        f"power: {made.power:.3g} W ({made.power_source})",
    ]
