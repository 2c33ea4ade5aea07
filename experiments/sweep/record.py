"""The content of one chunk as bytes that prove themselves whole."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np

__all__ = ["RecordError", "decode", "encode"]

_MAGIC = b"eapu-jax chunk 1\n"

Record = dict[str, np.ndarray]


class RecordError(ValueError):
    """These bytes are not a whole record."""


def encode(record: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as bytes: magic, digest, header, values.

    Example:
        >>> decode(encode({"loss": np.arange(3.0)}))["loss"]
        array([0., 1., 2.])
    """
    arrays = {k: np.ascontiguousarray(v) for k, v in record.items()}
    shapes = {k: np.shape(v) for k, v in record.items()}
    head = [[k, v.dtype.str, shapes[k]] for k, v in arrays.items()]
    body = (
        json.dumps(head).encode()
        + b"\n"
        + b"".join(v.tobytes() for v in arrays.values())
    )
    return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def decode(content: bytes) -> Record:
    """Named arrays, every bit as it was.

    Raises:
        RecordError: if the bytes are foreign, cut short or changed.
    """
    if not content.startswith(_MAGIC):
        raise RecordError("it is not a chunk of a sweep")
    digest, _, body = content[len(_MAGIC) :].partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise RecordError("its digest does not match")
    head, _, values = body.partition(b"\n")
    record, at = {}, 0
    for name, dtype, shape in json.loads(head):
        kind = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        flat = np.frombuffer(values[at : at + size], kind)
        record[name], at = flat.reshape(shape), at + size
    return record
