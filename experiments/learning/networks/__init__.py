"""The networks, one family a file: what multiplies is a `kernel`, a crossbar's matrix.

Every network is a Linen module `net(x, train=False)`. Batch statistics are in
"batch_stats"; dropout draws from the key "dropout".
"""

from experiments.learning.networks.conv import Conv, inner_patches, patches
from experiments.learning.networks.convolutions import cnn, lenet
from experiments.learning.networks.denoisers import autoencoder, dncnn
from experiments.learning.networks.language import language_model
from experiments.learning.networks.perceptrons import (
    KAIMING,
    UNIFORM,
    mlp,
    sigmoid_mlp,
)
from experiments.learning.networks.resnet import (
    basic_resnet,
    bottleneck_resnet,
    resnet18,
    resnet34,
    resnet152,
    small_resnet,
)
from experiments.learning.networks.super_resolution import srnet, srresnet
from experiments.learning.networks.swin_transformer import swin
from experiments.learning.networks.vision_transformer import vit

__all__ = [
    "KAIMING",
    "UNIFORM",
    "Conv",
    "autoencoder",
    "basic_resnet",
    "bottleneck_resnet",
    "cnn",
    "dncnn",
    "inner_patches",
    "language_model",
    "lenet",
    "mlp",
    "patches",
    "resnet18",
    "resnet34",
    "resnet152",
    "sigmoid_mlp",
    "small_resnet",
    "srnet",
    "srresnet",
    "swin",
    "vit",
]
