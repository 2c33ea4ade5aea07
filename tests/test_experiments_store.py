"""What is written is whole, what is read is sound."""

import os

import h5py
import numpy as np
import pytest
import xarray as xr

from experiments import claims
from experiments.results import provenance, store
from experiments.results.store import StoreError
from tests import toy_experiment as toy


def dataset():
    y = np.array([[1.5, np.nan, -np.nan], [np.inf, -0.0, 3e-45]], np.float32)
    return xr.Dataset(
        {
            "y": (("scheme", "chip"), y, {"units": "uS"}),
            "stuck": ("chip", np.array([True, False, True])),
            "writes": ("chip", np.arange(3, dtype=np.int32)),
            "loss": 0.25,
        },
        coords={"scheme": ["ideal", "µ eapu"], "step": ("chip", [5, 6, 7])},
        attrs={
            "title": "a µS test",
            "n": 3,
            "factor": 0.1,
            "rates": np.array([0.1, 0.2]),
            "scale": "reduced",
        },
    )


def test_every_bit_comes_back(tmp_path):
    back = store.load(store.save(dataset(), tmp_path / "a.nc"))
    xr.testing.assert_identical(back, dataset())
    assert back.y.values.tobytes() == dataset().y.values.tobytes()
    assert {v: back[v].dtype for v in back} == {v: dataset()[v].dtype for v in back}


def test_saving_leaves_one_readable_file_and_the_dataset_as_it_was(tmp_path):
    mine = dataset()
    store.save(mine, tmp_path / "new" / "a.nc")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.nc"]
    xr.testing.assert_identical(mine, dataset())


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_a_half_written_file_is_refused_and_left(tmp_path, keep):
    path = store.save(dataset(), tmp_path / "a.nc")
    content = path.read_bytes()
    content = content[: keep if keep >= 1 else int(keep * len(content))]
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"a\.nc .*move it away and run again"):
        store.load(path)
    assert path.read_bytes() == content


def test_one_flipped_bit_is_noticed(tmp_path):
    path = store.save(dataset(), tmp_path / "a.nc")
    content = bytearray(path.read_bytes())
    content[
        content.index(np.float32(1.5).tobytes() + np.float32(np.nan).tobytes())
    ] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match="digest does not match"):
        store.load(path)


def edited(path, where, name, value):
    """Change one attribute of a file, as any tool for HDF5 would."""
    with h5py.File(path, "r+") as file:
        attrs = file[where].attrs
        if value is None:
            del attrs[name]
        else:
            attrs[name] = value


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("/", "title", "another test"),
        ("/", "n", np.int64(4)),
        ("/", "n", 3.0),
        ("/", "factor", np.nextafter(0.1, 1)),
        ("/", "rates", np.array([0.1, 0.3])),
        ("/", "scale", None),
        ("/", "added", "a word"),
        ("/", "digest", "0" * 64),
        ("/y", "units", "mS"),
        ("/y", "units", None),
        ("/step", "note", "a word"),
    ],
)
def test_an_edited_attribute_is_noticed(tmp_path, where, name, value):
    path = store.save(dataset(), tmp_path / "a.nc")
    edited(path, where, name, value)
    with pytest.raises(StoreError, match="digest does not match"):
        store.load(path)


@pytest.mark.parametrize(
    "attrs",
    [
        {"texts": ["a", "b"], "one": ["a"], "empty": ""},
        {"whole": np.int32(3), "row": (1, 2), "single": np.array([2.5])},
        {"nan": np.nan, "huge": 2**62, "half": np.float32(0.1), "zero": -0.0},
    ],
)
def test_whatever_attributes_can_be_saved_are_read_back(tmp_path, attrs):
    back = store.load(store.save(dataset().assign_attrs(attrs), tmp_path / "a.nc"))
    for name, value in attrs.items():
        np.testing.assert_array_equal(np.ravel(back.attrs[name]), np.ravel(value))


def test_every_attribute_of_a_result_is_held_by_its_digest(tmp_path):
    config = toy.Config()
    how = {"name": "toy", "config": config, "scale": "reduced", "programs": {}}
    made = provenance.stamped(dataset(), **how)
    path = store.save(made, tmp_path / "a.nc")
    content = path.read_bytes()
    for name, value in store.load(path).attrs.items():
        edited(path, "/", name, f"{value}!")
        with pytest.raises(StoreError, match="digest does not match"):
            store.load(path)
        path.write_bytes(content)


def test_a_foreign_file_is_refused(tmp_path):
    dataset().to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(StoreError, match="was not written as 'eapu-jax result 2'"):
        store.load(tmp_path / "a.nc")


@pytest.mark.parametrize("read", [store.load, claims.read_csv])
def test_a_pipe_a_device_or_a_folder_is_refused_and_does_not_block(tmp_path, read):
    for i, make in enumerate(
        (os.mkfifo, lambda p: p.symlink_to("/dev/zero"), os.mkdir)
    ):
        make(path := tmp_path / f"{i}.nc")
        with pytest.raises(StoreError, match=r"\.nc is no ordinary file"):
            read(path)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the experiment first"):
        store.load(tmp_path / "a.nc")


def test_a_failed_save_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = store.save(dataset(), tmp_path / "a.nc")
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot write .*a\.nc: No space left"):
        store.save(dataset() * 2, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = store.save(dataset(), tmp_path / "a.nc")
    before = path.read_bytes()

    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        store.save(dataset() * 2, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_takes_no_files_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="choose another folder with --results"):
        store.require_writable(tmp_path / "file" / "results")
    with pytest.raises(StoreError, match="cannot write"):
        store.write_atomically(tmp_path / "file" / "a.txt", b"")


def test_written_files_have_ordinary_permissions(tmp_path):
    store.write_atomically(tmp_path / "a.txt", b"")
    (tmp_path / "b.txt").write_text("")
    modes = [(tmp_path / n).stat().st_mode for n in ("a.txt", "b.txt")]
    assert modes[0] == modes[1]
