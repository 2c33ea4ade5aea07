"""Training spread over four devices, held against one: run by test_around_meshes.py.

A program of its own, because the number of devices is fixed when jax starts. Says as
JSON what became of every check asked for: true, or what was wrong.
"""

import json
import os
import sys
import traceback
from functools import cache, partial

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

import eapu_jax as ej
from tests import haste

haste.begin()

LINE = jax.make_mesh((4,), ("d",), axis_types=(AxisType.Explicit,))
SQUARE = jax.make_mesh((2, 2), ("x", "y"), axis_types=(AxisType.Explicit,) * 2)
MIXED = jax.make_mesh((2, 2), ("x", "y"), axis_types=(AxisType.Explicit, AxisType.Auto))
LEFT_TO_XLA = Mesh(np.array(jax.devices()), ("d",))
SPREAD = {
    "rows, left to the compiler": (LEFT_TO_XLA, P("d")),
    "rows": (LINE, P("d")),
    "copies": (LINE, P()),
    "blocks": (SQUARE, P("x", "y")),
    "columns over one of two axes": (SQUARE, P(None, "y")),
    "rows over the explicit one of two": (MIXED, P("x")),
}
SIGNED = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0, read_noise=0.5))
PAIRS = ej.Crossbar(
    device=ej.PhaseChange(read_noise=0.1),
    encoding=ej.DifferentialPair(policy="up"),
    r_wg=0.1,
)
CROSSBARS = {"signed": SIGNED, "pairs": PAIRS}
W = {"bias": jnp.ones(8), "kernel": jnp.linspace(-1, 1, 64).reshape(8, 8)}


def chain(crossbar, key=0):
    gate, array = jr.split(jr.key(key))
    gated = ej.eapu(0.2, key=gate)
    return optax.chain(gated, ej.program(crossbar, key=array, step_time=10.0))


def step_of(tx):
    def step(w, state):
        slopes = jax.tree.map(lambda x: 0.1 * x, w)
        updates, state = tx.update(slopes, state, w)
        return optax.apply_updates(w, updates), state

    return step


def trained(w, crossbar, donated=()):
    tx = chain(crossbar)
    step, state = jax.jit(step_of(tx), donate_argnums=donated), jax.jit(tx.init)(w)
    w = jax.tree.map(jnp.copy, w) if donated else w
    for _ in range(3):
        w, state = step(w, state)
    return w, state


@cache
def alone(crossbar):
    return trained(W, CROSSBARS[crossbar])


def equal(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def equal_but_rounded(a, b):
    """Counts alike; logarithms and powers are rounded as the compiler chose."""
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-6, atol=1e-6)


def laid(mesh, spec):
    sharding = NamedSharding(mesh, spec)
    kernel = jax.device_put(W["kernel"], sharding)
    bias = jax.device_put(W["bias"], NamedSharding(mesh, P()))
    return {"bias": bias, "kernel": kernel}, sharding


def parameters(mesh, spec):
    w, sharding = laid(mesh, spec)
    spread = trained(w, SIGNED)
    equal(alone("signed"), spread)
    assert spread[0]["kernel"].sharding.is_equivalent_to(sharding, 2)


def started_eagerly(mesh, spec):
    w, _ = laid(mesh, spec)
    equal(chain(SIGNED).init(W), chain(SIGNED).init(w))


def pairs_that_drift(mesh, spec):
    w, _ = laid(mesh, spec)
    equal_but_rounded(alone("pairs"), trained(w, PAIRS))


def donated(mesh, spec):
    w, _ = laid(mesh, spec)
    equal(alone("signed"), trained(w, SIGNED, donated=(0, 1)))


def chip(key, side):
    w = jnp.ones((side, side))
    tx = ej.program(ej.Crossbar(), key=key)
    return tx.update(w * 0.01, tx.init(w), w)[0]


def chips(mesh, side):
    keys = jr.split(jr.key(0), 4)
    many = jax.vmap(lambda key: chip(key, side))
    spread = jax.shard_map(many, mesh=mesh, in_specs=P("d"), out_specs=P("d"))
    laid_out = jax.device_put(keys, NamedSharding(mesh, P("d")))
    one, four = jax.jit(many)(keys), jax.jit(spread)(laid_out)
    np.testing.assert_allclose(four, one, atol=1e-6)  # one chip is compiled anew


def products(mesh, spec):
    """A batch spread over devices through arrays whose weights are."""
    x = jnp.linspace(-1, 1, 64).reshape(8, 8)
    put = lambda a, spec: jax.device_put(a, NamedSharding(mesh, spec))  # noqa: E731
    params, arrays = ej.deploy(jr.key(0), SIGNED, W)

    def loss(params, x):
        return jnp.mean((x @ ej.wrap(params, arrays, jr.key(1), SIGNED)["kernel"]) ** 2)

    go = jax.jit(jax.value_and_grad(loss))
    w = {"bias": put(params["bias"], P()), "kernel": put(params["kernel"], spec)}
    batch = put(x, P(mesh.axis_names[0]))
    for a, b in zip(
        jax.tree.leaves(go(params, x)), jax.tree.leaves(go(w, batch)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


SEVERAL = {
    parameters: list(SPREAD),
    started_eagerly: ["rows"],
    pairs_that_drift: ["rows, left to the compiler", "blocks"],
    donated: ["rows", "blocks"],
    products: ["rows, left to the compiler", "copies", "blocks"],
}


ALIKE = {
    "parameters: copies",
    "parameters: columns over one of two axes",
    "pairs_that_drift: rows, left to the compiler",
    "donated: rows",
    "chips: of 4 rows, explicit mesh",
}
"""Checks of what others hold: products of copies; blocks; chips of 64 rows."""


def checks():
    """Every check by its name."""
    for check, names in SEVERAL.items():
        for name in names:
            yield f"{check.__name__}: {name}", partial(check, *SPREAD[name])
    for mesh, side in ((LEFT_TO_XLA, 4), (LINE, 4), (LINE, 64)):
        kind = mesh.axis_types[0].name.lower()
        yield f"chips: of {side} rows, {kind} mesh", partial(chips, mesh, side)


def outcome(check):
    try:
        check()
    except Exception:
        return traceback.format_exc()[-1500:]
    return True


if __name__ == "__main__":
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    alike = sys.argv[1] == "alike"
    asked = {name: check for name, check in checks() if (name in ALIKE) == alike}
    print(json.dumps({name: outcome(check) for name, check in asked.items()}))
