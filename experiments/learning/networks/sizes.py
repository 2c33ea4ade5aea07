"""Sizes that a network cannot have, refused in words that name them."""

import jax


def at_least(low: int, **sizes: int | tuple[int, ...]) -> None:
    """Refuse a size, or a tuple of them that is empty or holds one, below `low`.

    Example:
        >>> at_least(1, depths=(3, 0))
        Traceback (most recent call last):
        ...
        ValueError: depths must be one or more whole numbers of at least 1, got (3, 0)
    """
    for name, given in sizes.items():
        several = isinstance(given, tuple | list)
        values = given if several else (given,)
        if not values or any(type(v) is not int or v < low for v in values):
            of = "one or more whole numbers" if several else "a whole number"
            raise ValueError(f"{name} must be {of} of at least {low}, got {given!r}")


def odd(**sizes: int) -> None:
    """Refuse a size that is no positive odd number."""
    at_least(1, **sizes)
    for name, given in sizes.items():
        if given % 2 == 0:
            raise ValueError(f"{name} must be odd, got {given}")


def alike(**tuples: tuple[int, ...]) -> None:
    """Refuse tuples of unlike lengths: one entry per stage each."""
    if len({len(given) for given in tuples.values()}) > 1:
        given = ", ".join(f"{name}={value}" for name, value in tuples.items())
        raise ValueError(f"{' and '.join(tuples)} must be of one length, got {given}")


def divides(unit: str, of: int, **sizes: int) -> None:
    """Refuse a size that is no multiple of `of`, which is `unit`.

    Example:
        >>> divides("heads", 3, width=16)
        Traceback (most recent call last):
        ...
        ValueError: width must be a multiple of heads = 3, got 16
    """
    for name, given in sizes.items():
        if given % of:
            raise ValueError(f"{name} must be a multiple of {unit} = {of}, got {given}")


def rate(**rates: float) -> None:
    """Refuse what is no probability below 1."""
    for name, given in rates.items():
        if not 0 <= given < 1:
            raise ValueError(f"{name} must be from 0 to below 1, got {given}")


def pictures(x: jax.Array, unit: str = "1", multiple: int = 1) -> jax.Array:
    """Images with an axis of channels; their sides must be multiples of `unit`.

    Args:
        x: `(batch, h, w)` or `(batch, h, w, c)`.
        unit: what the sides are measured in, in words.
        multiple: its value.

    Raises:
        ValueError: on other axes, or on a side that does not fit.

    Example:
        >>> import jax.numpy as jnp
        >>> pictures(jnp.ones((1, 8, 8))).shape
        (1, 8, 8, 1)
    """
    if x.ndim not in (3, 4):
        raise ValueError(f"images must be (batch, h, w[, c]), got shape {x.shape}")
    h, w = x.shape[1:3]
    divides(unit, multiple, **{"height of the image": h, "width of the image": w})
    return x.reshape((*x.shape[:3], -1))
