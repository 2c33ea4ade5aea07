"""Peers are measured where they are installed, and are no dependency."""

from benchmarks import peers


def test_without_peers_there_are_no_rows(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    assert peers.rows() == []


def test_each_peer_is_asked_for_by_its_name(monkeypatch):
    for name, row in ("torch", "training_step"), ("aihwkit", "chip_epoch"):
        there = lambda asked, name=name: asked == name or None  # noqa: E731
        monkeypatch.setattr(peers, "find_spec", there)
        monkeypatch.setattr(peers, row, lambda name=name: [{"name": name}])
        assert [one["name"] for one in peers.rows()] == [name]
