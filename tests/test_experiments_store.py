"""What is written is whole, what is read is sound."""

import os

import numpy as np
import pytest
import xarray as xr

from experiments import claims, store
from experiments.store import StoreError
from experiments.sweep.folder import read_folder


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
        attrs={"title": "a µS test", "n": 3, "factor": 0.1},
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
    assert mine.attrs == dataset().attrs


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


def test_a_foreign_file_is_refused(tmp_path):
    dataset().to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(StoreError, match="was not written as 'eapu-jax result 1'"):
        store.load(tmp_path / "a.nc")


@pytest.mark.parametrize("read", [store.load, claims.read_csv, read_folder])
def test_a_pipe_a_device_or_a_folder_is_refused_and_does_not_block(tmp_path, read):
    for i, make in enumerate(
        (os.mkfifo, lambda p: p.symlink_to("/dev/zero"), os.mkdir)
    ):
        path = tmp_path / str(i)
        path.mkdir()
        make(path / "sweep.json")
        where = path if read is read_folder else path / "sweep.json"
        with pytest.raises(StoreError, match=r"sweep\.json is no ordinary file"):
            read(where)


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
