"""Functions for the tests of the sweep, at module level so that a replay finds them."""

import jax.numpy as jnp
import jax.random as jr

TRACES: list[str] = []


def walk(point, chip, key, trace=False):
    """A random walk of 5 steps that drifts."""
    drift = point.mean + 0.01 * jnp.float32(chip)
    curve = jnp.cumsum(drift + point.noise * jr.normal(key, (5,)))
    found = {"curve": curve, "last": curve[-1]}
    return {**found, "double": jnp.stack([curve, 2 * curve], 1)} if trace else found


def ruled(point, chip, key):
    """Two programs, told apart by a text."""
    TRACES.append(point.rule)
    sign = {"up": 1.0, "down": -1.0}[point.rule]
    return {"x": sign * (point.size + jr.normal(key)) + 0.0 * jnp.float32(chip)}


def sized(point, chip, key):
    """A shape that depends on the point."""
    return {"x": jr.normal(key, (point.width,)).sum() + 0.0 * jnp.float32(chip)}


def brittle(point, chip, key):
    """Chip 2 diverges; rule "broken" cannot be traced."""
    if point.rule == "broken":
        raise KeyError("this rule is broken")
    x = jr.normal(key)
    return {"x": x, "curve": jnp.where(chip == 2, jnp.inf, x) * jnp.ones(3)}


def plain(point, chip, random):
    """NumPy only; chip 3 raises."""
    if chip == 3:
        raise RuntimeError("chip 3 is no good")
    return {"x": point.mean + random.normal(size=4)}
