"""Populations of chips: no two arrays, and no two cells, are alike."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import partial
from typing import Any, Literal, cast

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, one_of, typed_key, whole
from eapu_jax.crossbar import Crossbar, one_crossbar
from eapu_jax.devices.pulsed import Pulsed, PulseSteps
from eapu_jax.placement import Place, path_name, where
from prng import unrolled

_TINY = float(jnp.finfo(jnp.float32).tiny)


@dataclass(frozen=True, kw_only=True)
class Spread:
    r"""How far chips and cells stray from the nominal device.

    A constant $c$ of the device becomes, with a standard normal $z$ per chip or per
    cell,

    - `law="lognormal"`: $c\,e^{\sigma z - \sigma^2 / 2}$, of mean $c$ and relative
      standard deviation $\sqrt{e^{\sigma^2} - 1} \approx \sigma$,
    - `law="normal"`: $c\,(1 + \sigma z)$, with $z$ cut off where the factor would leave
      0 to 2: the mean is $c$, and the deviation $\sigma$ as long as $\sigma \ll 1$.

    Whoever writes knows the nominal device alone: a cell whose step strays gets as many
    pulses as all others.

    Neither changes a sign. What comes out beyond a bound of the constant (a
    probability above 1) is put at the bound. A window stays a window: where the two
    ends drawn for a chip or cell have crossed, they change places, and where they
    meet, the upper one is raised by the smallest amount there is.

    Attributes:
        chip_to_chip: $\sigma$ of a constant of the device, by its name;
            "device.pulse" is the pulse of the device within a device.
        cell_to_cell: the same from cell to cell within a chip.
        law: how constants stray.
        stuck_rate: probability that a cell is stuck.
        stuck_levels: conductances at which cells stick, equally likely, µS.
    """

    chip_to_chip: Mapping[str, float] = field(default_factory=dict)
    cell_to_cell: Mapping[str, float] = field(default_factory=dict)
    law: Literal["lognormal", "normal"] = "lognormal"
    stuck_rate: float = 0.0
    stuck_levels: tuple[float, ...] = (0.0,)

    def __post_init__(self):
        for kind in ("chip_to_chip", "cell_to_cell"):
            if not isinstance(getattr(self, kind), Mapping):
                raise ValueError(
                    f"Spread.{kind} must map names of constants to their spread, "
                    f"{{'write_noise': 0.1}}, got {getattr(self, kind)!r}"
                )
            for name, sigma in getattr(self, kind).items():
                number(f"Spread.{kind}[{name!r}]", sigma, at_least=0)
        one_of("Spread.law", self.law, ("lognormal", "normal"))
        number("Spread.stuck_rate", self.stuck_rate, at_least=0, at_most=1)
        if not jnp.iterable(self.stuck_levels) or not len(self.stuck_levels):
            raise ValueError(
                "Spread.stuck_levels must name at least one level, "
                f"got {self.stuck_levels!r}"
            )
        number("Spread.stuck_levels", self.stuck_levels)


def sample_chips(
    key: Key[Array, ""],
    n: int,
    crossbar: Crossbar,
    params: PyTree,
    spread: Spread,
    *,
    place: Place | None = None,
) -> PyTree[Crossbar]:
    """Draw `n` chips: a tree of crossbars whose every array leads with the chip.

    Chip `i` is `sample_chip(key, i, ...)`, whatever the number of chips.

    Args:
        key: typed key of the population.
        n: number of chips, at least 1.
        crossbar: the nominal array.
        params: one network's parameters (arrays or `jax.eval_shape` results).
        spread: how the chips differ.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on `n < 1`, or a spread of a constant that the device does not
            have.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> chips = sample_chips(
        ...     jax.random.key(0), 1000, Crossbar(), {"kernel": jnp.zeros((4, 3))},
        ...     Spread(chip_to_chip={"write_noise": 0.1}, stuck_rate=0.01),
        ... )
        >>> chips["kernel"].device.write_noise.shape, chips["kernel"].stuck_at.shape
        ((1000,), (1000, 4, 3))
    """
    whole("n", n, at_least=1)
    draw = partial(
        sample_chip, crossbar=crossbar, params=params, spread=spread, place=place
    )
    return jax.vmap(lambda index: draw(key, index))(jnp.arange(n))


def sample_chip(
    key: Key[Array, ""],
    index: int | jax.Array,
    crossbar: Crossbar,
    params: PyTree,
    spread: Spread,
    *,
    place: Place | None = None,
) -> PyTree[Crossbar]:
    """Draw chip `index` of the population of `key`: one crossbar per leaf.

    Chip-to-chip constants are shared by all leaves, cell-to-cell constants and
    stuck cells are drawn for every cell. See `sample_chips` for the arguments.
    """
    typed_key("key", key)
    whole("index", index, at_least=0)
    _check_nominal(crossbar, spread)
    key_chip, key_cells = jr.split(jr.fold_in(unrolled(key), index))
    chip = _perturbed(key_chip, crossbar, spread.chip_to_chip, spread.law, ())
    leaves, treedef = jax.tree_util.tree_flatten_with_path(params)
    keys = jr.split(key_cells, max(len(leaves), 1))
    drawn = [
        _draw_cells(k, chip, leaf.shape, spread)
        if where(path_name(path), leaf, place) == "array"
        else chip
        for k, (path, leaf) in zip(keys, leaves, strict=False)
    ]
    return jax.tree.unflatten(treedef, drawn)


def _draw_cells(key, chip: Crossbar, weights: tuple[int, ...], spread: Spread):
    """Give every cell of one array its own constants, and stick some."""
    like = jax.ShapeDtypeStruct(weights, jnp.float32)
    cells = jax.eval_shape(chip.encoding.to_cells, like, 1.0).shape
    key_spread, key_stuck, key_level = jr.split(key, 3)
    drawn = _perturbed(key_spread, chip, spread.cell_to_cell, spread.law, cells)
    if spread.stuck_rate == 0:
        return drawn
    stuck = jr.bernoulli(key_stuck, spread.stuck_rate, cells)
    levels = jnp.array(spread.stuck_levels, jnp.float32)
    level = jr.choice(key_level, levels, cells)
    return replace(drawn, stuck=stuck, stuck_at=level)


def _perturbed(
    key, crossbar: Crossbar, spread: Mapping[str, float], law: str, shape
) -> Crossbar:
    """Draw the named constants; nothing else changes."""
    device: Any = _known(crossbar.device) if spread else crossbar.device
    for name, key_name in zip(spread, jr.split(key, max(len(spread), 1)), strict=False):
        factor = _FACTORS[law](key_name, spread[name], shape)
        device = _with(device, name.split("."), factor)
    return replace(crossbar, device=_uncrossed(device, crossbar.device))


def _known(device: Any) -> Any:
    """The device, whose steps of now are what whoever writes goes on reckoning with."""
    if isinstance(device, Pulsed) and device.reckoned is None:
        steps = PulseSteps(up=device.known(True), down=device.known(False))
        device = _put(device, reckoned=steps)
    within = {f.name: getattr(device, f.name) for f in fields(cast(Any, device))}
    inner = {name: _known(d) for name, d in within.items() if is_dataclass(d)}
    return _put(device, **inner)


def _lognormal(key, sigma, shape):
    return jnp.exp(sigma * jr.normal(key, shape) - sigma**2 / 2)


def _normal(key, sigma, shape):
    """Around 1, and between 0 and 2."""
    if sigma == 0:
        return jnp.ones(shape)
    return 1 + sigma * jr.truncated_normal(key, -1 / sigma, 1 / sigma, shape)


_FACTORS = {"lognormal": _lognormal, "normal": _normal}


def _with(device: Any, path: list[str], factor: jax.Array) -> Any:
    """The device with one constant, its own or one deeper down, multiplied."""
    name, deeper = path[0], path[1:]
    held = getattr(device, name)
    if deeper:
        return _put(device, **{name: _with(held, deeper, factor)})
    bounds = {f.name: f.metadata for f in fields(device)}[name]
    low, high = bounds["at_least"], bounds["at_most"]
    if bounds["above"] is not None:
        low = bounds["above"] + _TINY
    drawn = held * factor
    bounded = low is not None or high is not None
    return _put(device, **{name: jnp.clip(drawn, low, high) if bounded else drawn})


def _uncrossed(device: Any, nominal: Any) -> Any:
    """The device, and those within, with every lower end below its upper one."""
    for f in fields(device):
        lower, upper = getattr(device, f.name), f.metadata.get("below")
        if is_dataclass(lower):
            inner = _uncrossed(lower, getattr(nominal, f.name))
            device = _put(device, **{f.name: inner})
        elif upper is not None and _drawn(device, nominal, f.name, upper):
            low, high = _ordered(lower, getattr(device, upper))
            device = _put(device, **{f.name: low, upper: high})
    return device


def _drawn(device: Any, nominal: Any, *names: str) -> bool:
    return any(getattr(device, n) is not getattr(nominal, n) for n in names)


def _ordered(a, b) -> tuple[jax.Array, jax.Array]:
    """The smaller and the larger of two, never equal."""
    low, high = jnp.minimum(a, b), jnp.maximum(a, b)
    above = jnp.maximum(jnp.nextafter(low, jnp.full_like(low, jnp.inf)), low + _TINY)
    return low, jnp.maximum(high, above)


def _put(device: Any, /, **constants: Any) -> Any:
    """`replace`, without holding half-drawn windows against their bounds."""
    new = copy(device)
    for name, value in constants.items():
        object.__setattr__(new, name, value)
    return new


def _constants(device: Any, prefix: str = "") -> list[str]:
    """The names of all constants, those of devices within with a dot."""
    names = []
    for f in fields(device):
        held = getattr(device, f.name)
        if is_dataclass(held):
            names += _constants(held, f"{prefix}{f.name}.")
        elif "finite" in f.metadata:
            names.append(prefix + f.name)
    return names


def _check_nominal(crossbar: Crossbar, spread: Spread) -> None:
    one_crossbar(crossbar)
    if not isinstance(spread, Spread):
        raise ValueError(f"spread must be a Spread, got {spread!r}")
    known = _constants(crossbar.device)
    for name in (*spread.chip_to_chip, *spread.cell_to_cell):
        if name not in known:
            raise ValueError(
                f"Spread names {name!r}, but {type(crossbar.device).__name__} has "
                f"only {', '.join(known)}"
            )
