"""Images moved and mirrored at random as they enter, inside a compiled program."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key, Shaped


def cropped(
    key: Key[Array, ""], x: Shaped[Array, "n h w c"], padding: int = 4
) -> Shaped[Array, "n h w c"]:
    """Each image within a border of zeros, cut out at a place of its own.

    Each of the `(2 padding + 1)^2` places is equally likely; the image in the middle is
    the one as it was.

    Args:
        key: of all the places.
        x: images.
        padding: width of the border, pixels; 4 is usual for images of 32.

    Raises:
        ValueError: if `padding` is negative.
    """
    if padding < 0:
        raise ValueError(f"padding = {padding!r}: must be 0 or more")
    border = ((padding, padding), (padding, padding), (0, 0))
    corners = jr.randint(key, (x.shape[0], 2), 0, 2 * padding + 1)

    def cut(image, corner):
        wide = jnp.pad(image, border)
        return jax.lax.dynamic_slice(wide, (corner[0], corner[1], 0), image.shape)

    return jax.vmap(cut)(x, corners)


def flipped(
    key: Key[Array, ""], x: Shaped[Array, "n h w c"]
) -> Shaped[Array, "n h w c"]:
    """Each image as it is or mirrored left to right, with equal odds.

    Example:
        >>> x = jnp.arange(3.0).reshape(1, 1, 3, 1)
        >>> flipped(jr.key(1), x)[0, 0, :, 0].tolist() in ([0, 1, 2], [2, 1, 0])
        True
    """
    turned = jr.bernoulli(key, 0.5, (x.shape[0], 1, 1, 1))
    return jnp.where(turned, x[:, :, ::-1], x)


def moved(
    key: Key[Array, ""], x: Shaped[Array, "n h w c"], padding: int = 4
) -> Shaped[Array, "n h w c"]:
    """`cropped`, then `flipped`: the usual augmentation of CIFAR.

    Example:
        >>> moved(jr.key(0), jnp.ones((5, 32, 32, 3))).shape
        (5, 32, 32, 3)
    """
    where, side = jr.split(key)
    return flipped(side, cropped(where, x, padding))
