"""The folder that children import our packages from."""

from spikinghash import start
from spikinghash.isolation import packages_alone


def test_it_holds_links_to_our_packages_alone_and_goes_afterwards():
    with packages_alone() as folder:
        found = {path.name: path.resolve() for path in folder.iterdir()}
        assert folder.stat().st_mode & 0o077 == 0
    assert found == {name: start.ROOT / name for name in start.PACKAGES}
    assert not folder.exists()
