"""A long scan within a run: the engine computes it window by window, saved between.

One program serves all windows: it takes the state of the scan and how far to go, so
that where a call was cut decides no bit.
"""

import contextvars
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.extend.core import get_opaque_trace_state

_COUNT = 4  # bytes of the number of a stage
_current: contextvars.ContextVar[Any] = contextvars.ContextVar("stages", default=None)


def in_stages(body: Callable, init: Any, xs: Any) -> tuple[Any, Any]:
    """`jax.lax.scan(body, init, xs)` of which a sweep saves the state between steps.

    Where a swept function has exactly one, outside any `jit`, `vmap` or `scan` (and no
    keys among its ys), a sweep with a store that was killed goes on at the step that
    was saved, bit for bit. What stands before and after it is computed anew for every
    save. Anywhere else it is the scan.

    Example:
        >>> import jax.numpy as jnp
        >>> total, each = in_stages(lambda c, x: (c + x, 2 * c), 0, jnp.arange(4))
        >>> int(total), each.tolist()
        (6, [0, 0, 2, 6])
    """
    here = _current.get()
    if here is None or here.trace != get_opaque_trace_state(convention="flax"):
        return jax.lax.scan(body, init, xs)
    return here.scan(body, init, xs)


class _Run:
    """A run that is traced; `state` is of its stages: (carry, ys), keys as words."""

    def __init__(self, state: Any = None, window: Any = None):
        self.trace = get_opaque_trace_state(convention="flax")
        self.state, self.window, self.lengths = state, window, []

    def scan(self, body: Callable, init: Any, xs: Any) -> tuple[Any, Any]:
        if self.window is None:
            found = jax.lax.scan(body, init, xs)
            keys = any(map(_is_key, jax.tree.leaves(found[1])))
            self.lengths.append(0 if keys else len(jax.tree.leaves(xs)[0]))
            self.state = jax.tree.map(_words, found)
            return found
        start, stop = self.window
        held, ys = self.state

        def chosen(first, words):
            if _is_key(first):
                words = jr.wrap_key_data(words, impl=jr.key_impl(first))
            return jnp.where(start == 0, first, words)

        def step(state):
            i, carry, ys = state
            x = jax.tree.map(lambda x: x[i], xs)
            carry, y = body(carry, x)
            return i + 1, carry, jax.tree.map(lambda ys, y: ys.at[i].set(y), ys, y)

        at = start, jax.tree.map(chosen, init, held), ys
        _, *found = jax.lax.while_loop(lambda state: state[0] < stop, step, at)
        self.state = jax.tree.map(_words, tuple(found))
        return found[0], found[1]


def stages_of(run: Callable, many: Callable, example: Any) -> tuple[Any, int] | None:
    """The abstract state of many runs, and how many stages; None if there are none.

    Args:
        run: one run.
        many: maps a run over the arguments of many.
        example: these arguments.
    """
    lengths: list[int] = []

    def learn(*arguments):
        here, _ = _within(_Run(), run, arguments)
        lengths.extend(here.lengths)
        return here.state

    state = jax.eval_shape(many(learn), *example)
    return (state, lengths[0]) if len(lengths) == 1 and lengths[0] else None


def windowed(run: Callable) -> Callable:
    """`(window, state, *arguments) -> (outputs, state)`: stages from start to stop."""

    def go(window, state, *arguments):
        here, outputs = _within(_Run(state, window), run, arguments)
        return outputs, here.state

    return go


def _within(here: _Run, run: Callable, arguments: Any) -> tuple[_Run, Any]:
    token = _current.set(here)
    try:
        return here, run(*arguments)
    finally:
        _current.reset(token)


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jax.dtypes.prng_key)


def _words(x: Any) -> Any:
    return jr.key_data(x) if _is_key(x) else x


@dataclass(eq=False)
class Staged:
    """A compiled `windowed` program.

    Attributes:
        program: compiled.
        state: of its stages, abstract.
        length: how many stages there are.
        pace: seconds that a stage took when one was last waited for.
    """

    program: Any
    state: Any
    length: int
    pace: float = math.inf


class Call:
    """A call of a staged program, under way; `outputs` are final once none is left."""

    def __init__(self, staged: Staged, arguments: Any, saved: Sequence[bytes]):
        """Begin where each device was saved, or with the first stage."""
        self._staged, self._arguments, self._done = staged, arguments, 0
        self.outputs: Any = None
        self._begun: tuple[float, int] | None = None  # when, and how many stages
        self._state = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), staged.state)
        self._n_devices = len(saved)
        if all(saved):
            self._done = int(np.frombuffer(saved[0][:_COUNT], np.int32)[0])
            self._read(saved)

    @property
    def left(self) -> int:
        """How many stages are to come."""
        return self._staged.length - self._done

    def tried(self) -> float:
        """Seconds that all stages take, by one of them."""
        if self.left:
            self.advance(0.0)
        return self._staged.pace * self._staged.length

    def begin(self, seconds: float | None) -> None:
        """Dispatch all stages at once, if so long is enough for them."""
        short = seconds is None or self.left * self._staged.pace <= seconds
        if self.left and short:
            self._begun = time.monotonic(), self.left
            self.advance(None)

    def arrived(self) -> None:
        """The outputs are here: what was begun at once took so long, or less."""
        if self._begun is not None:
            clock, n = self._begun
            self._staged.pace = max((time.monotonic() - clock) / n, 1e-9)

    def advance(self, seconds: float | None) -> None:
        """Compute stages for so long, by what the last took; all of them if None."""
        n, clock = self.left, time.monotonic()
        if seconds is not None:
            n = min(n, max(int(seconds / self._staged.pace), 1))
        window = np.array([self._done, self._done + n], np.int32)
        given = window, self._state, *self._arguments
        self.outputs, self._state = self._staged.program(*given)
        self._done += n
        if seconds is not None:
            jax.block_until_ready(self._state)
            self._staged.pace = max((time.monotonic() - clock) / n, 1e-9)

    def saved(self, device: int) -> bytes:
        """What a device goes on from: number of the stage, its rows of the state."""
        rows = (self._rows(np.asarray(x), device) for x in jax.tree.leaves(self._state))
        stage = np.int32(self._done).tobytes()
        return stage + b"".join(x.tobytes() for x in rows)

    def _read(self, saved: Sequence[bytes]) -> None:
        for device, content in enumerate(saved):
            at = _COUNT
            for x in jax.tree.leaves(self._state):
                rows = self._rows(x, device)
                end = at + rows.nbytes
                words = np.frombuffer(content[at:end], x.dtype)
                rows[...], at = words.reshape(rows.shape), end

    def _rows(self, x: np.ndarray, device: int) -> np.ndarray:
        n = len(x) // self._n_devices
        return x[device * n : (device + 1) * n]
