"""Where caches lie: the folder that is named, the user's, or one beside the run."""

import pytest

from spikinghash.data.cache_folder import cache_folder
from spikinghash.errors import ConfigError


def test_the_named_folder_is_made(tmp_path):
    assert cache_folder(str(tmp_path / "a/b"), tmp_path / "x") == tmp_path / "a/b"
    assert (tmp_path / "a/b").is_dir()
    assert not (tmp_path / "x").exists()


def test_a_named_folder_that_cannot_be_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"data\.cache: .*file/cache cannot be written") as caught:
        cache_folder(str(tmp_path / "file/cache"), tmp_path)
    assert "\n" not in str(caught.value)


def test_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert cache_folder(None, tmp_path / "x") == tmp_path / "own/spikinghash"


@pytest.mark.parametrize("home", ["/proc/none", "relative"])
def test_a_user_without_one_has_it_beside_the_run(tmp_path, monkeypatch, home):
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    assert cache_folder(None, tmp_path / "x") == tmp_path / "x"


def test_nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    with pytest.raises(ConfigError, match=r"can be written .*; set data\.cache"):
        cache_folder(None, tmp_path.__class__("/proc/neither"))
