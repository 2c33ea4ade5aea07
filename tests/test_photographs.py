"""Photographs come with their provenance, or with a clear refusal."""

import os

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from experiments.data import archives, search
from experiments.data.archives import DataError
from experiments.data.dead_leaves import RADII, dead_leaves
from experiments.data.patches import at_random, on_a_grid
from experiments.data.photographs import load_photographs, luma
from tests.statistics import assert_within

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No cache, no variables, nothing beside the checkout."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EAPU_JAX_DATA", raising=False)
    monkeypatch.setattr(search, "__file__", str(tmp_path / "a/b/c/d/search.py"))


def noise(*shape):
    return RNG.integers(0, 256, shape).astype(np.uint8)


def five(folder, **changes):
    """Set5, of noise, each image of another size."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {f"image {n}": noise(40 + n, 50, 3) for n in range(5)} | changes
    np.savez(folder / "set5.npz", **images)
    return images


def test_an_archive_is_read_with_its_names(tmp_path):
    images = five(tmp_path)
    found = load_photographs("set5", folder=tmp_path)
    assert found.names == tuple(images)
    for got, image in zip(found.images, images.values(), strict=True):
        np.testing.assert_array_equal(got, image)
    assert len(found.sha256) == 64
    assert found.sha256[:12] in found.provenance
    assert "Set5 (set5.npz, no licence stated), 5 images" in found.provenance


def test_the_folder_wins_then_the_variable_then_the_cache_then_beside(
    tmp_path, monkeypatch
):
    places = [tmp_path / p for p in ("mine", "env", "cache/eapu_jax", "a/shared/data")]
    last = [five(place)["image 4"] for place in places]
    monkeypatch.setenv("EAPU_JAX_DATA", str(places[1]))
    found = [load_photographs("set5", folder=places[0]), load_photographs("set5")]
    monkeypatch.delenv("EAPU_JAX_DATA")
    found.append(load_photographs("set5"))
    (places[2] / "set5.npz").unlink()
    found.append(load_photographs("set5"))
    for got, image in zip(found, last, strict=True):
        np.testing.assert_array_equal(got.images[4], image)


def test_gray_images_have_one_channel_and_colour_has_the_luma_of_pillow():
    colour = noise(60, 70, 3)
    pillow = np.asarray(Image.fromarray(colour).convert("L"), int)
    assert luma(colour).shape == (60, 70, 1)
    # Pillow computes in whole numbers and rounds otherwise
    assert np.abs(luma(colour)[..., 0].astype(int) - pillow).max() <= 1
    gray = noise(60, 70, 1)
    assert luma(gray) is gray


def test_packaged_photographs_serve_where_there_is_no_file(caplog):
    pytest.importorskip("skimage")
    train, test = load_photographs("packaged"), load_photographs("packaged_test")
    assert not set(train.names) & set(test.names)
    assert test.names == ("camera", "coins", "chelsea", "coffee")
    assert train.images[0].shape == (512, 512, 3)
    assert "scikit-image" in train.provenance
    assert "scikit-learn" in train.provenance
    assert caplog.text == ""
    other = load_photographs("bsd400")
    assert "bsd400: not found anywhere; what serves is photographs of" in caplog.text
    assert "until bsd400_gray180.npz lies in" in caplog.text
    assert "in place of Train400" in other.provenance
    assert other.sha256 == train.sha256
    assert load_photographs("set12").sha256 == test.sha256


def test_without_packages_there_are_dead_leaves(monkeypatch):
    monkeypatch.setattr(search, "in_package", lambda package, file: None)
    found, again = load_photographs("set5"), load_photographs("set5")
    assert found.provenance.startswith("STAND-IN for Set5: procedural dead leaves")
    assert len(found.images) == 5
    np.testing.assert_array_equal(found.images[0], again.images[0])
    assert not np.array_equal(found.images[0], found.images[1])


def test_dead_leaves_have_the_contrast_of_their_grays():
    # a leaf's gray is even on 0 to 255; a pixel is that of its topmost leaf
    pictures = np.stack([dead_leaves(64, seed) for seed in range(40)]).astype(float)
    alone = pictures[:, 32, 32]  # one pixel of each picture: independent
    error = 255 / 12**0.5 / len(alone) ** 0.5
    assert_within(alone.mean(), 127.5, error)
    assert (pictures == 128).mean() < 0.05  # the ground is covered
    assert RADII[0] < RADII[1] < 64


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _harmed(path):
    content = bytearray(path.read_bytes())
    content[500:520] = bytes(20)
    path.write_bytes(bytes(content))


def _noise(path):
    path.write_bytes(b"not what it says")


def _empty(path):
    path.write_bytes(b"")


def _pickled(path):
    np.savez(path, **{str(n): np.array([{}], object) for n in range(5)})


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


def _folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "harm", [_cut, _harmed, _noise, _empty, _pickled, _pipe, _folder]
)
def test_a_damaged_archive_is_named(tmp_path, harm):
    five(tmp_path)
    harm(tmp_path / "set5.npz")
    with pytest.raises(DataError, match=r"set5\.npz: .*Remove or replace this file"):
        load_photographs("set5", folder=tmp_path)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((40, 40)), r"be bytes .* got float64 \(40, 40\)"),
        (np.zeros((40, 40), np.int8), "got int8"),
        (np.zeros(40, np.uint8), r"got uint8 \(40,\)"),
        (np.zeros((40, 40, 4), np.uint8), r"got uint8 \(40, 40, 4\)"),
        (np.zeros((1, 40, 40, 3), np.uint8), r"got uint8 \(1, 40, 40, 3\)"),
        (np.zeros((31, 40), np.uint8), "sides of 32 to 4096 pixels, got 31 x 40"),
        (np.zeros((40, 4097), np.uint8), "got 40 x 4097"),
        (np.zeros((0, 40), np.uint8), "got 0 x 40"),
        (np.array("a photograph"), "got <U12"),
    ],
)
def test_what_is_no_photograph_is_refused_by_name(tmp_path, image, message):
    five(tmp_path, **{"image 3": image})
    with pytest.raises(DataError, match=rf"set5\.npz: 'image 3' must.* {message}"):
        load_photographs("set5", folder=tmp_path)


def test_other_images_than_those_of_the_set_are_refused(tmp_path):
    five(tmp_path, more=noise(40, 40))
    with pytest.raises(DataError, match="holds 6 images, expected the 5 of Set5"):
        load_photographs("set5", folder=tmp_path)


def test_a_huge_archive_is_refused_unread(tmp_path, monkeypatch):
    five(tmp_path)
    monkeypatch.setattr(archives, "MOST_BYTES", 20_000)
    with pytest.raises(DataError, match=r"set5\.npz: must be at most 20000 bytes"):
        load_photographs("set5", folder=tmp_path)
    np.savez_compressed(tmp_path / "set5.npz", a=np.zeros((900, 900), np.uint8))
    with pytest.raises(DataError, match="must unpack to at most 20000 bytes, got 810"):
        load_photographs("set5", folder=tmp_path)


def test_a_damaged_photograph_in_a_package_is_named(tmp_path, monkeypatch):
    (tmp_path / "astronaut.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    where = tmp_path / "astronaut.png", "1.0"
    monkeypatch.setattr(search, "in_package", lambda package, file: where)
    with pytest.raises(DataError, match=r"astronaut\.png: "):
        load_photographs("packaged")


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="unknown photographs 'bsd500': one of bsd400"):
        load_photographs("bsd500")
    with pytest.raises(ValueError, match="folder = '/nowhere' is not a folder"):
        load_photographs("set5", folder="/nowhere")


def places(height, width):
    """An image whose pixels say where they are."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns], -1)


def test_squares_of_a_grid_are_all_there_are():
    images = [places(9, 12), places(5, 4)]
    cut = on_a_grid(images, side=4, stride=3)
    corners = [(r, c) for r in (0, 3) for c in (0, 3, 6)] + [(0, 0)]
    assert [tuple(x[0, 0]) for x in cut] == corners
    for square, (row, column) in zip(cut, corners, strict=True):
        expected = places(12, 12)[row : row + 4, column : column + 4]
        np.testing.assert_array_equal(square, expected)


def test_squares_at_random_places_are_all_equally_likely():
    images, side = [places(8, 6), places(5, 9) + 100], 4
    cut = at_random(images, side, 20_000, seed=1)
    np.testing.assert_array_equal(cut - cut[:, :1, :1], [places(4, 4)] * len(cut))
    corners, counts = np.unique(cut[:, 0, 0], axis=0, return_counts=True)
    assert len(corners) == 5 * 3 + 2 * 6
    assert stats.chisquare(counts).pvalue > 5.7e-7  # five standard errors
    np.testing.assert_array_equal(cut, at_random(images, side, 20_000, seed=1))
    assert not np.array_equal(cut[:50], at_random(images, side, 50, seed=2))


@pytest.mark.parametrize(
    ("images", "side", "message"),
    [
        ([], 4, "there are none"),
        ([places(8, 6)], 7, "side = 7: must be 1 to 6"),
        ([places(8, 6)], 0, "side = 0: must be 1 to 6"),
        ([places(8, 6), noise(8, 8, 1)], 4, "1 x uint8, 2 x int64"),
    ],
)
def test_squares_that_cannot_be_cut_are_refused(images, side, message):
    for cut in (
        lambda: on_a_grid(images, side, 1),
        lambda: at_random(images, side, 1, 0),
    ):
        with pytest.raises(ValueError, match=message):
            cut()


def test_no_squares_and_no_stride_are_refused():
    with pytest.raises(ValueError, match="n = 0: must be 1 or more"):
        at_random([places(8, 6)], 4, 0, 0)
    with pytest.raises(ValueError, match="stride = 0: must be 1 or more"):
        on_a_grid([places(8, 6)], 4, 0)
