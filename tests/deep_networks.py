"""Deep networks at a tiny width, and variables for them that cost nothing."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from experiments.learning import networks as nets

TEXT = jnp.arange(12, dtype=jnp.int32).reshape(2, 6) % 5
TINY = {  # net, input, shape of the output
    "basic": (nets.basic_resnet((1, 1), (2, 4), 3, remat=True), (2, 4, 4), (2, 3)),
    "bottleneck": (nets.bottleneck_resnet((1,), (2,), 3), (2, 4, 4, 2), (2, 3)),
    "vit": (
        nets.vit(3, patch=2, width=4, blocks=1, heads=2, dropout=0.5, remat=True),
        (2, 4, 4),
        (2, 3),
    ),
    "swin": (
        nets.swin(
            3, patch=1, window=2, width=4, depths=(2, 1), heads=(1, 2), drop_path=0.5
        ),
        (2, 4, 4),
        (2, 3),
    ),
    "language": (
        nets.language_model(5, blocks=1, width=4, heads=2, context=6, dropout=0.5),
        TEXT,
        (2, 6, 5),
    ),
    "srresnet": (
        nets.srresnet(2, 1, 1, size=3, remat=True),
        (1, 3, 2, 2),
        (1, 6, 4, 2),
    ),
    "srnet": (nets.srnet((3,)), (1, 3, 2, 1), (1, 6, 4, 1)),
    "dncnn": (nets.dncnn(3, 2), (1, 4, 3, 1), (1, 4, 3, 1)),
    "autoencoder": (nets.autoencoder((2, 3)), (1, 4, 8, 1), (1, 4, 8, 1)),
}


def shapes_of(net, x):
    return jax.eval_shape(net.init, jr.key(0), x)


def filled(shapes, seed=0):
    """Variables that are neither all zero nor alike, without a costly `init`."""
    draw = np.random.default_rng(seed)

    def fill(path, leaf):
        name = path[-1].key
        if name in ("scale", "var"):
            return jnp.ones(leaf.shape)
        spread = leaf.shape[0] ** -0.5 if name == "kernel" else 0.3
        return jnp.asarray(spread * draw.standard_normal(leaf.shape, "f4"))

    return jax.tree.map_with_path(fill, shapes)


def example(name):
    x = TINY[name][1]
    return jr.uniform(jr.key(1), x) if isinstance(x, tuple) else x
