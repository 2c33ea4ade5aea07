"""One weight on many tiles of few states, each of which mends the one before."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number, whole
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.lines import line_at
from eapu_jax.transforms.rule import Rule
from eapu_jax.transforms.several import Several
from eapu_jax.transforms.tiles import both_ways, crossbars_only, tiles
from eapu_jax.transforms.warm_start import first_alone, followed


def multi_tile(
    crossbars: Sequence[PyTree[Crossbar]],
    *,
    key: Key[Array, ""],
    gamma: Scalar = 0.5,
    rate: Scalar | Sequence[Scalar] = 0.1,
    every: int | Sequence[int] = 2,
    warm_start: int | None = None,
    place: Place | None = None,
    step_time: Scalar = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Residual learning over $N$ tiles, $\bar W = \sum_n \gamma^n W^{(n)}$.

    $$ W^{(N-1)} \leftarrow W^{(N-1)} + \Delta W, \qquad
       W^{(n)}_i \leftarrow W^{(n)}_i + \alpha_n\,\widehat W^{(n+1)}_i
       \text{ every } T_n \text{ updates} $$

    The last tile is the finest and gets the updates; each hands on to the coarser one
    before it, one line at a time, the finest first. Tile 0 stands for the whole weight
    at first, all others for 0. A tile of few states ends within one of its steps of
    where it should be; the next, whose step counts $\gamma$ times as much, learns the
    rest. Sum, $\gamma$ and the order of the transfers are STATED (arXiv 2510.02516 and
    its code: $\gamma = 0.5$, $T = 2 \cdot 5^k$ with $k$ from 0 for the finest pair,
    $\alpha = 0.1 \cdot 1.2^k$ with $k$ from 1 for the coarsest). The scale of
    $\Delta W$ on the last tile, 1 and not $\gamma^{N-1}$, is INFERRED; the optimiser's
    rate absorbs it.

    With a warm start only tile 0 is awake at first. The next one wakes where the mean
    loss has risen (four times), later where it stalls, and then gets the updates; no
    tile sleeps again, and one that sleeps is never written. When tiles wake is STATED
    (code of arXiv 2510.02516, see `warm_start.py`); that the finest tile awake gets the
    updates, and hands on as before, is INFERRED.

    Two tiles are `residual_learning` with the same $\gamma$. For lines, signs, what is
    emitted and what is asked of tile 0, see `tiki_taka`.

    Args:
        crossbars: what the tiles are made of, the coarsest first; each one crossbar or
            a tree of them.
        key: typed key.
        gamma: $\gamma > 0$, weight of a tile in that of the one before.
        rate: $\alpha_n > 0$, one for all or one per pair of tiles, the coarsest first.
        every: $T_n \ge 1$, likewise.
        warm_start: updates from one look at the loss to the next, an epoch in the
            public code; `update` then needs the loss as `value`. None: no tile sleeps.
        place: which leaves live on arrays; `eapu_jax.place` when None.
        step_time: time that passes per update, s.

    Raises:
        ValueError: on no tiles, a number out of its bounds, rates or times that are not
            one per pair, a device behind the first tile that is not pulsed in both
            directions, a missing `params`, a missing loss, or behind `program`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar, view
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> tx = multi_tile([quiet] * 3, key=jax.random.key(0), every=[2, 1])
        >>> w = jnp.zeros((1, 1))
        >>> tx.update(w + 0.4, tx.init(w), w)[0]  # 0.4 / 4, and a tenth of it / 2
        Array([[0.12]], dtype=float32)
        >>> sorted(view(tx.init(w)))
        ['@tile0', '@tile1', '@tile2']
    """
    made = list(crossbars) if _several(crossbars) else []
    if not made:
        raise ValueError(
            f"crossbars must be a sequence of at least 1 tile, got {crossbars!r}"
        )
    pairs = len(made) - 1
    rates = _one_each("rate", rate, pairs, partial(number, above=0))
    times = _one_each("every", every, pairs, partial(whole, at_least=1))
    number("gamma", gamma, above=0)
    names = [f"tile{n}" for n in range(pairs + 1)]
    warm = warm_start is not None
    if warm_start is not None:
        whole("warm_start", warm_start, at_least=1)

    def act(one, dw):
        awake = one.memory["awake"] if warm else None
        one = _finest(one, dw, names, awake)
        for n in reversed(range(pairs)):
            line = line_at(one.step, times[n], dw.shape)
            if awake is not None:
                line = line._replace(due=line.due & (awake > n + 1))
            seen, one = one.read(names[n + 1], line)
            one = one.write(names[n], rates[n] * seen, line)
        return one if warm_start is None else followed(one, warm_start, len(names))

    rule = Rule(
        name="multi_tile",
        act=act,
        parts=lambda held, memory: [gamma**n * held[t] for n, t in enumerate(names)],
        start=lambda key, w: {t: jnp.zeros_like(w) for t in names} | {"tile0": w},
        memory=first_alone if warm else lambda w: {},
        slow="tile0",
        terms=pairs + 1,
        draws=2 * pairs + (pairs + 1 if warm else 1),
    )
    crossbars_only("crossbars[0]", made[0])
    for n in range(1, pairs + 1):
        both_ways(f"crossbars[{n}]", made[n])
    held = dict(zip(names, made, strict=True))
    return tiles(rule, held, key=key, place=place, step_time=step_time)


def _finest(one: Several, dw: Any, names: list[str], awake: Any) -> Several:
    """Write the update on the last tile, or on the last that is awake."""
    if awake is None:
        return one.write(names[-1], dw)
    for n, name in enumerate(names):
        one = one.write(name, jnp.where(awake == n + 1, dw, 0))
    return one


def _several(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _one_each(name: str, value: Any, pairs: int, check: Callable) -> list[Any]:
    """One value for every pair of tiles, each held against its bound."""
    several = _several(value)
    values = list(value) if several else [value] * pairs
    if len(values) != pairs:
        raise ValueError(
            f"{name} must be one number, or one for each of {pairs} pairs of tiles, "
            f"got {len(values)}"
        )
    for one in values if several else [value]:
        if _several(one):
            raise ValueError(f"{name} must be numbers, got {one!r} among them")
        check(name, one)
    return values
