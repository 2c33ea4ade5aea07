"""The ways to train whose writes `update_ratio` counts."""

from typing import NamedTuple


class Scenario(NamedTuple):
    """One way to train.

    Attributes:
        title: for legends.
        optimizer: "adam" or "sgd".
        schedule: of the learning rate.
        rate: learning rate, in units of `Config.learning_rate`.
        pretrained: whether a noiseless training on other images goes before.
    """

    title: str
    optimizer: str
    schedule: str
    rate: float
    pretrained: bool = False


SCENARIOS = {
    "sgd": Scenario("SGD, momentum, cosine", "sgd", "cosine", 50.0),
    "adam": Scenario("Adam {lr:g}, then a tenth", "adam", "drop", 1.0),
    "adam_low": Scenario("Adam {lr:g}", "adam", "constant", 0.1),
    "pretrained": Scenario("Adam {lr:g}, pre-trained", "adam", "constant", 0.01, True),
}
