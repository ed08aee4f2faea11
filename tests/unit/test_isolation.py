"""The folder that children import our packages from."""

from spikinghash import start
from spikinghash.isolation import packages_alone


def test_it_is_one_folder_with_links_to_our_packages_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with packages_alone() as first, packages_alone() as second:
        assert first == second
        found = {path.name: path.resolve() for path in first.iterdir()}
    assert found == {name: start.ROOT / name for name in start.PACKAGES}
    assert first.is_relative_to(tmp_path)
    assert first.stat().st_mode & 0o077 == 0


def test_a_folder_with_anything_else_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with packages_alone() as lasting:
        (lasting / "json.py").write_text("raise SystemExit")
    with packages_alone() as other:
        assert other != lasting
        assert {path.name for path in other.iterdir()} == set(start.PACKAGES)
    assert not other.exists()


def test_without_a_cache_folder_it_is_a_temporary_one(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with packages_alone() as folder:
        assert {path.name for path in folder.iterdir()} == set(start.PACKAGES)
    assert not folder.exists()
