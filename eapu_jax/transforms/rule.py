"""A rule with several arrays per weight, and one update of those of one weight."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import traced
from eapu_jax.devices.base import Scalar
from eapu_jax.ledger import count
from eapu_jax.rows import add
from eapu_jax.transforms.few import compiled
from eapu_jax.transforms.foreign import difference, emitted
from eapu_jax.transforms.several import Several, pulsed
from prng.once import where_wanted


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule, as far as rules differ: what it does to the arrays of one weight.

    Attributes:
        name: of the factory, for refusals.
        act: `act(arrays, dw) -> arrays`, one update.
        parts: `parts(weights of the tiles, memory)`: what adds up to the weight.
        start: `start(key, w)`: what every tile stands for at first.
        memory: `memory(w)`: digital numbers at first.
        slow: the tile that is asked for what was changed from outside.
        terms: how many numbers the read-out adds up.
        spans: as `parts`, but nothing cancels; its sizes where None.
        draws: keys that `act` takes.
        threshold: of the digital buffer, weight units; None without.
    """

    name: str
    act: Callable[[Several, jax.Array], Several]
    parts: Callable[[dict[str, jax.Array], dict[str, jax.Array]], list[jax.Array]]
    start: Callable[[Key[Array, ""], jax.Array], dict[str, jax.Array]]
    memory: Callable[[jax.Array], dict[str, jax.Array]] = lambda w: {}
    slow: str = "slow"
    terms: int = 2
    spans: Callable[[dict[str, jax.Array], dict], list[jax.Array]] | None = None
    draws: int = 4
    threshold: PyTree[Scalar] | None = None

    def read_out(self, one: Several) -> tuple[jax.Array, jax.Array]:
        """The weight, and the largest of it: parts added up without signs."""
        held = {t: one.weights(t) for t in one.arrays}
        parts = self.parts(held, one.memory)
        wide = self.spans(held, one.memory) if self.spans else parts
        span = _sum([jnp.abs(part) for part in wide])
        found = jnp.where(jnp.isfinite(span), span, 0)
        return _sum(parts), jnp.max(found, initial=0)

    def rounding(self, *leaves: jax.Array) -> float:
        """How far weights may be from their read-out by rounding alone, relative.

        A unit in the last place, of the coarser leaf, for every number that is added
        up and one for the update.
        """
        unit = max(float(jnp.finfo(leaf.dtype).eps) for leaf in leaves)
        return (1 + self.terms) * unit


def _sum(parts: list[jax.Array]) -> jax.Array:
    return sum(parts[1:], parts[0])


def fast_and_slow(key: Any, w: jax.Array) -> dict[str, jax.Array]:
    """Two tiles: the slow one stands for the weight, the fast one for nothing yet."""
    del key
    return {"fast": jnp.zeros_like(w), "slow": w}


def slow_and_part_of_fast(gamma: Scalar):
    r"""$W = C + \gamma c A$, with the chopper $c$ where the rule has one."""
    hidden = not traced(gamma) and not np.any(np.asarray(gamma))

    def parts(weights, memory):
        if hidden:
            return [weights["slow"]]
        return [weights["slow"], gamma * memory.get("chop", 1) * weights["fast"]]

    return parts


class Update(NamedTuple):
    """One update of the arrays of one weight.

    Attributes:
        rule: what happens.
        step_time: time that passes before it, s.
        rounding: how far weights may be from their read-out by it, relative.
    """

    rule: Rule
    step_time: Scalar
    rounding: float

    def __call__(self, one: Several, dw, w, largest) -> tuple[Any, Several, Any]:
        """How the weight moves, the arrays after it, the largest weight so far."""
        before, _ = self.rule.read_out(one)
        held = w.astype(before.dtype)
        gap = difference(held, before, self.rounding * largest)
        one, settled = self._asked(one.advance(self.step_time), gap)
        one = self.rule.act(one, dw.astype(before.dtype))
        after, most = self.rule.read_out(one)
        move = emitted(held, before, gap, after, settled)
        return move.astype(dw.dtype), one, jnp.maximum(largest, most)

    def _asked(self, one: Several, gap) -> tuple[Several, jax.Array]:
        """Ask the slow array for what was changed from outside, where anything was."""
        tile, (key, one) = self.rule.slow, one.key()
        crossbar = one.crossbars[tile]

        def act(start):
            state, _ = start
            new, pulses = pulsed(key, crossbar, state, gap, nearest=True)
            found = add(new.ledger.foreign, count(gap != 0))
            new = new._replace(ledger=new.ledger._replace(foreign=found))
            return new, crossbar.encoding.touched(pulses.sent)

        start = one.arrays[tile], jnp.zeros(gap.shape, bool)
        state, settled = _where_any(gap != 0, act, start)
        return one._replace(arrays=one.arrays | {tile: state}), settled


def _where_any(wanted: jax.Array, act: Callable, start: Any) -> Any:
    """`act(start)` where anything is wanted, at no cost where nothing is.

    Outside `jit` a loop would be compiled anew at every call.
    """
    some = jnp.any(wanted)
    if not traced(some):
        return act(start) if bool(some) else start
    if compiled(some):
        return where_wanted(some, act, start)
    return jax.tree.map(lambda x, y: jnp.where(some, x, y), act(start), start)
