"""What one link of a chain tells the next, while the chain is traced.

optax hands updates from link to link and nothing else. Some orders of links make no
sense (`program` before `eapu`, two `program`s, two gates), and a threshold that the
device cannot answer writes nothing for ever. Whoever made an array can be looked up
here by the array itself. Nothing is kept alive, nothing reaches the numbers: where
the trail is lost (another link in between, a `jit` around one link) nothing is
refused.
"""

import weakref
from typing import Any

import jax
from jaxtyping import PyTree

EVERY = "write_all"
"""Signs updates of which all are asked for. They are those that it was given, so that
they may go to another gate as well."""

_made: dict[int, tuple[Any, str, Any]] = {}


def sign(tree: PyTree, maker: str, note: Any = None) -> PyTree:
    """Remember that `maker` made the arrays of `tree`, and a note of it."""
    for leaf in jax.tree.leaves(tree):
        number = id(leaf)
        try:
            gone = weakref.ref(leaf, lambda _, number=number: _made.pop(number, None))
        except TypeError:  # nothing that can be followed
            continue
        _made[number] = gone, maker, note
    return tree


def signed(leaf: Any) -> tuple[str | None, Any]:
    """Who made this very array, and the note; None if nobody said."""
    reference, maker, note = _made.get(id(leaf), (lambda: None, None, None))
    return (maker, note) if reference() is leaf else (None, None)


def refuse_programmed(link: str, updates: PyTree) -> None:
    """Refuse updates that `program` has already written.

    Raises:
        ValueError: naming the link that came too late.
    """
    if "program" in _makers(updates):
        raise ValueError(
            f"{link} must come before `program` in the chain, once: what reaches it "
            "has been written already; chain(optimizer, eapu, program)"
        )


def refuse_decided(gate: str, updates: PyTree) -> None:
    """Refuse updates that `program` has written or a gate has decided on.

    Raises:
        ValueError: naming the gate, and the link before it.
    """
    refuse_programmed(gate, updates)
    earlier = sorted(_makers(updates) - {EVERY})
    if earlier:
        raise ValueError(
            f"{gate} must be the only gate of its leaves: `{earlier[0]}` has decided "
            "already what is written; chain(optimizer, eapu, program)"
        )


def same_form(updates: PyTree, params: PyTree) -> None:
    """Refuse params that have not the structure and the shapes of their updates.

    Raises:
        ValueError: naming what was expected.
    """
    asked, held = jax.tree.structure(updates), jax.tree.structure(params)
    if asked != held:
        raise ValueError(f"params must have the structure {asked}, got {held}")
    for u, p in zip(jax.tree.leaves(updates), jax.tree.leaves(params), strict=True):
        if u.shape != p.shape:
            raise ValueError(f"params must have the shape {u.shape}, got {p.shape}")


def _makers(updates: PyTree) -> set[str]:
    makers = (signed(leaf)[0] for leaf in jax.tree.leaves(updates))
    return {maker for maker in makers if maker is not None}
