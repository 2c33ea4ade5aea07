"""The write itself: what the arrays made of the update that was asked for."""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Int, Key, PyTree, UInt32

from eapu_jax.bank import Bank, alike, deploy_bank, join
from eapu_jax.checks import number, one_of, traced
from eapu_jax.crossbar import Crossbar, crossbars_at, refuse_unknown
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array, put
from eapu_jax.rows import Arrays
from eapu_jax.transforms.keys import Root, following
from eapu_jax.transforms.links import refuse_programmed, same_form, sign, signed
from eapu_jax.transforms.requests import Decided
from eapu_jax.transforms.sharding import gathered, spread_like
from eapu_jax.transforms.update import Update


class ProgramState(NamedTuple):
    """The chip, as far as training has to remember it.

    Attributes:
        step: updates so far.
        key: words of the root key; update `n` draws from `fold_in(key, n)`.
        banks: the arrays, those of one device model together; `eapu_jax.view` takes
            them out one by one.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]
    banks: dict[str, Bank]


def program(
    crossbar: PyTree[Crossbar],
    *,
    key: Key[Array, ""],
    place: Place | None = None,
    step_time: Scalar = 0.0,
    foreign: Literal["write", "set"] = "write",
) -> optax.GradientTransformationExtraArgs:
    r"""Replace the update that was asked for with the one the arrays make.

    The state holds the arrays, and they are the truth: the weights are their
    read-out. Put it last in the chain: its output is written,
    $W \leftarrow W + \Delta W$, by `optax.apply_updates`. Cells that are not pulsed
    do not change, unless they move by themselves. Leaves that `place` keeps digital
    pass unchanged.

    Weights that were changed from outside since the last update (a checkpoint
    loaded, a clip, an average, a decay behind the chain) cannot change the cells by
    themselves: what differs from the read-out by more than rounding is a request,
    written with the update, and counted as `foreign` in the ledger. Where it sends
    no pulse (too small for the device) it stays in the weights and is asked again.
    With `foreign="set"` the cells are put there instead, without pulses and
    without error: for loading a checkpoint. Decay that should be written economically
    belongs into the chain, before `eapu`.

    Under `jit` on a CPU, arrays of 1024 cells or more are written by a loop over the
    cells that are asked. Derivatives, forwards and in reverse, are those of writing
    all cells at once, and cost as much: which cells are pulsed is held fixed.

    Args:
        crossbar: one crossbar for all arrays, or a tree of them: each serves its
            path and those below (`sample_chip` makes one).
        key: typed key. Under `vmap` build the transform inside the mapped
            function, or every chip makes the same errors.
        place: which leaves live on an array; `eapu_jax.place` when None.
        step_time: time that passes per update, s; it matters to volatile devices.
        foreign: what becomes of weights changed from outside, see above.

    Raises:
        ValueError: on a negative `step_time`, a key that is not one typed key, a
            missing `params`, a second `program` in the chain, a threshold of `eapu`
            or a step of another rule that the device never answers.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from eapu_jax import AdditiveError, Crossbar, eapu, writes_per_cell
        >>> k1, k2 = jax.random.split(jax.random.key(0))
        >>> crossbar = Crossbar(device=AdditiveError(write_noise=2.0), r_wg=1 / 80)
        >>> tx = optax.chain(
        ...     optax.sgd(0.01), eapu(2 / 80, key=k1), program(crossbar, key=k2)
        ... )
        >>> w = {"kernel": jnp.ones((100, 10))}
        >>> state, update = tx.init(w), jax.jit(tx.update)
        >>> for _ in range(300):
        ...     updates, state = update(w, state, w)  # the gradient of w**2 / 2
        ...     w = optax.apply_updates(w, updates)
        >>> bool(jnp.abs(w["kernel"]).mean() < 0.1)  # SGD alone would leave 0.05
        True
        >>> bool(writes_per_cell(state)["kernel"].mean() < 50)  # of 300 steps
        True
    """
    root = Root(key)
    number("step_time", step_time, at_least=0)
    one_of("foreign", foreign, ("write", "set"))
    crossbars_at(crossbar, [])

    def init_fn(params):
        leaves = gathered(on_array(params, place))
        crossbars = crossbars_at(crossbar, list(leaves))
        refuse_unknown(crossbar, params)
        banks = deploy_all(key, crossbars, leaves)
        return ProgramState(jnp.zeros((), jnp.int32), root.words(), banks)

    def update_fn(updates, state, params=None, **extra_args):
        del extra_args
        if params is None:
            raise ValueError("program writes on top of params: pass params to update")
        same_form(updates, params)
        refuse_programmed("program", updates)
        asked, held = (on_array(tree, place) for tree in (updates, params))
        crossbars = crossbars_at(crossbar, list(asked))
        _check_answered(crossbars, asked)
        whole = gathered(asked), gathered(held)
        banks, moved = {}, {}
        for name, bank in state.banks.items():
            chip = join(crossbars, bank, whole[0], state.step)
            act = Update(root.at(state.key, state.step), chip, step_time)
            banks[name], some = act(bank, *whole, setting=foreign == "set")
            moved |= some
        moved = sign(spread_like(asked, moved), "program")
        state = ProgramState(following(state.step), state.key, banks)
        return put(updates, moved), state

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


def deploy_all(
    key: Key[Array, ""], crossbars: dict[str, Crossbar], leaves: Arrays
) -> dict[str, Bank]:
    """Fresh arrays for every path, in banks."""
    keys = dict(zip(leaves, jr.split(key, max(len(leaves), 1)), strict=False))
    return {
        name: deploy_bank(
            {p: keys[p] for p in paths},
            {p: crossbars[p] for p in paths},
            {p: leaves[p] for p in paths},
        )
        for name, paths in alike(crossbars, leaves).items()
    }


def _check_answered(crossbars: dict[str, Crossbar], asked: dict[str, Any]) -> None:
    """Refuse a smallest pulse that the device never answers."""
    for path, leaf in asked.items():
        rule, note = signed(leaf)
        if not isinstance(note, Decided) or note.least is None:
            continue
        crossbar = crossbars[path]
        if crossbar.fixed_scale is None:
            continue
        with jax.ensure_compile_time_eval():  # known constants stay known under jit
            least = crossbar.device.smallest_request() * crossbar.fixed_scale
        if traced(least):
            continue
        device = type(crossbar.device).__name__
        number(
            f"{note.number} of {rule} for {path!r} (up to this {device} sends no "
            "pulse, and eapu_jax.matched_threshold derives one that works)",
            note.least,
            above=float(np.asarray(least).min()),
        )
