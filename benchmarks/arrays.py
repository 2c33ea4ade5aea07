"""Arrays: products through them, and what compiling a deep network costs.

Compile times are CPU seconds of XLA with no cache, above those of the same program
without arrays.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax

import eapu_jax as ej
from benchmarks.clock import interleaved, row

DEVICE = ej.AdditiveError(write_noise=2.0, read_noise=1.0)
PERIPHERY = ej.Periphery(dac=ej.Dac(bits=8), adc=ej.Adc(bits=8, rail=400.0))
CROSSBAR = ej.Crossbar(device=DEVICE, periphery=PERIPHERY, r_wg=1 / 80)
KERNELS = 155  # arrays of ResNet-152


def rows() -> list[dict[str, Any]]:
    """All figures of merit of arrays."""
    return [*product(), *compile_update(), *compile_products()]


def product(size: int = 512, batch: int = 64, repeats: int = 9) -> list[dict[str, Any]]:
    """A product with DAC, read noise and ADC over the plain one."""
    key, turns = jr.key(0), 50
    w = jr.normal(key, (size, size)) / size**0.5
    xs = jr.normal(jr.fold_in(key, 1), (turns, batch, size))

    def run(multiply: Callable) -> Callable:
        def turn(total, numbered):
            number, x = numbered
            return total + multiply(jr.fold_in(key, number), x), None

        start = jnp.zeros((batch, size))
        both = jnp.arange(turns), xs
        return jax.jit(lambda: jax.lax.scan(turn, start, both)[0])

    def through(encoding: ej.Encoding) -> Callable:
        crossbar = ej.Crossbar(
            device=DEVICE, periphery=PERIPHERY, r_wg=1 / 80, encoding=encoding
        )
        state = ej.deploy(key, crossbar, {"kernel": w})[1]["kernel"]
        return lambda key, x: ej.matvec(key, crossbar, state, w, x)

    runs = {
        "plain": run(lambda _, x: x @ w),
        "cell": run(through(ej.SingleCell())),
        "pair": run(through(ej.DifferentialPair())),
    }
    took = interleaved(runs, repeats)
    name = f"product {size}x{size}, batch {batch}, DAC, read noise, ADC, over plain"
    return [
        row(f"{name}: one cell", took["cell"] / took["plain"], "x", target="<= 3"),
        row(f"{name}: pair of cells", took["pair"] / took["plain"], "x"),
    ]


def compile_update(kernels: int = KERNELS, width: int = 64) -> list[dict[str, Any]]:
    """The update of a deep network: Adam, the gate and the write."""
    key = jr.key(0)
    params = {f"{n:03}": jnp.zeros((width, width)) for n in range(kernels)}
    adam = optax.adam(1e-3)
    write = ej.program(ej.Crossbar(device=DEVICE, r_wg=1 / 80), key=jr.fold_in(key, 1))
    chains = {
        "adam": adam,
        "eapu": optax.chain(adam, ej.eapu(2 / 80, key=key), write),
    }
    took = {}
    for name, tx in chains.items():
        state = jax.eval_shape(tx.init, params)
        took[name] = seconds_to_compile(tx.update, params, state, params)
    name = f"compiling the update of {kernels} kernels"
    return [
        row(
            f"{name}: EaPU and write above Adam",
            took["eapu"] - took["adam"],
            "CPU s",
            target="<= 10",
            floor=took["adam"],
            note="floor: Adam itself",
        )
    ]


def compile_products(layers: int = 24, width: int = 64) -> list[dict[str, Any]]:
    """The gradient of a chain of layers whose products pass through arrays."""
    key = jr.key(0)

    def above(layers: int) -> float:
        params = {f"{n:03}": jnp.zeros((width, width)) for n in range(layers)}
        arrays = ej.deploy(key, CROSSBAR, params)[1]

        def loss(params, arrays, x):
            for w in ej.wrap(params, arrays, key, CROSSBAR).values():
                x = jax.nn.relu(x @ w)
            return jnp.sum(x)

        def plain(params, x):
            for w in params.values():
                x = jax.nn.relu(x @ w)
            return jnp.sum(x)

        x = jnp.zeros((8, width))
        analog = seconds_to_compile(jax.grad(loss), params, arrays, x)
        return analog - seconds_to_compile(jax.grad(plain), params, x)

    each = (above(layers) - above(layers // 3)) / (layers - layers // 3)
    return [
        row(
            "compiling the gradient through one more layer of arrays, above plain",
            each,
            "CPU s",
            target=f"<= {60 / KERNELS:.2f}",
            note=f"{KERNELS} of them within a minute",
        )
    ]


def seconds_to_compile(function: Callable, *args: Any) -> float:
    """CPU seconds that XLA takes, nothing being remembered."""
    lowered = jax.jit(function).lower(*args)
    config: Any = jax.config  # its flags are attributes that no type names
    kept = config.jax_enable_compilation_cache
    config.update("jax_enable_compilation_cache", False)
    start = time.process_time()
    lowered.compile()
    took = time.process_time() - start
    config.update("jax_enable_compilation_cache", kept)
    return took
