"""The images that the memristor experiments learn from."""

from functools import cache
from typing import Annotated, Any

from experiments.data import DATA_SETS, Images, load_images
from experiments.validate import one_of, refuse_unless

DataSet = Annotated[str, one_of(*DATA_SETS)]


@cache
def images(data: str, n_train: int, n_test: int) -> Images:
    """The images of a data set, read once."""
    return load_images(data, n_train, n_test)


def require_images(asked: Any) -> None:
    """Refuse more images than a data set has, or a batch larger than all of them."""
    known = DATA_SETS[asked.data]
    for name in ("n_train", "n_test"):
        most = getattr(known, name)
        words = f"{asked.data} has {most:,} of them"
        refuse_unless(getattr(asked, name) <= most, asked, name, words)
    words = f"must be at most n_train = {asked.n_train}"
    refuse_unless(asked.batch_size <= asked.n_train, asked, "batch_size", words)
