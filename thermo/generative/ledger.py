"""Heat of a path, and what the odds against its reversal say of it."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.generative.network import (
    QuarticNetwork,
    Scalar,
    ready,
    ready_path,
    ready_states,
    sound,
)
from thermo.generative.noising import pull

__all__ = ["heat", "log_path_ratio", "path_heat"]


def heat(
    network: QuarticNetwork, start: Float[Array, "k n"], end: Float[Array, "k n"]
) -> Float[Array, " k"]:
    """Heat given to the bath, Q = V(start) - V(end), E0: nothing does work meanwhile.

    Of the units alone: what sets the potential, keeps it and reads the units out is not
    in it. STATED: PRL 136, 037101 by way of arXiv 2609.15439.

    Raises:
        ValueError: naming what is no network, or no row of its states.
    """
    network = ready(network)
    start = ready_states("start", network, start, 2)
    end = ready_states("end", network, end, 2)
    found = network.energy(start) - network.energy(end)
    return sound(found, "network", "start", "end")


def path_heat(
    network: QuarticNetwork, path: Float[Array, "steps+1 n"]
) -> Float[Array, ""]:
    r"""Heat by Stratonovich's sum, E0: $-\sum_k \Delta x\cdot(g_{k+1} + g_k)/2$.

    It is `heat` of the ends up to terms of the order of the step: the first law.

    Raises:
        ValueError: naming what is no network or path.
    """
    network, path, _ = ready_path(network, path, 1.0)
    g = network.slope(path)
    found = -((path[1:] - path[:-1]) * (g[1:] + g[:-1])).sum() / 2
    return sound(found, "network", "path")


def log_path_ratio(
    network: QuarticNetwork,
    path: Float[Array, "steps+1 n"],
    dt: Scalar,
    drive: Float[Array, " n"] | None = None,
) -> Float[Array, ""]:
    r"""Log odds of a path against its reversal by the network, exact for finite steps.

    $$ \ln\frac{P_0[\omega|x_0]}{P_\theta[\tilde\omega|x_K]} =
       -\frac\beta2\sum\Delta x\cdot(g_\theta^+ + g_0^-)
       + \frac{\beta\mu\,\mathrm dt}{4}\sum(|g_\theta^+|^2 - |g_0^-|^2) $$

    $g_\theta^+$ is the slope of the network at the end of a step, $g_0^-$ that under
    which the path was made at its beginning: of the uncoupled units less their drive.
    Without a drive both are of the network, and k_B T times the ratio is the heat, up
    to terms of the order of the step. DERIVED.

    Args:
        network: that runs backwards.
        path: of `noising`, or of the network itself.
        dt: its step.
        drive: that of `noising`; None for a path of the network itself.

    Raises:
        ValueError: naming what is no network, path, step or drive.
    """
    network, path, dt = ready_path(network, path, dt)
    before, after = path[:-1], path[1:]
    if drive is None:
        g0 = network.slope(before)
    else:
        drive = ready_states("drive", network, drive, 1)
        forces = jnp.outer(pull(len(before)).astype(path.dtype), drive)
        g0 = network.own_slope(before) - forces
    g = network.slope(after)
    exchanged = -((after - before) * (g + g0)).sum() / 2
    rest = network.mobility * dt * ((g**2).sum() - (g0**2).sum()) / 4
    found = (exchanged + rest) / network.temperature
    return sound(found, "network", "path", "dt", "drive")
