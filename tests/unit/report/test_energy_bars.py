"""The energy chart: a layer with binary input is drawn as accumulates, whatever its dense operations."""

import pytest
from matplotlib.colors import to_rgba

from spikinghash.report import bars
from spikinghash.report.chart import GREEN, RED
from spikinghash.report.documents import LayerEnergy


@pytest.fixture
def drawn(monkeypatch):
    """Colours of the bars that are painted."""
    colours = []
    real = bars.draw

    def draw(title, alt, paint, size):
        def watched(axes):
            paint(axes)
            colours.extend(patch.get_facecolor() for patch in axes.patches)

        return real(title, alt, watched, size)

    monkeypatch.setattr(bars, "draw", draw)
    return colours


def test_spiking_layers_are_accumulates(drawn):
    def layer(name, spiking, acs):
        return LayerEnergy(name=name, macs=1000, acs=acs, energy_pj=900.0, spiking=spiking)

    bars.energy_bars([layer("stem", False, 0.0), layer("mixer", True, 300.0), layer("silent", True, 0.0)])
    assert drawn == [to_rgba(RED), to_rgba(GREEN), to_rgba(GREEN)]


def test_files_of_older_programs_are_told_by_their_operations(drawn):
    bars.energy_bars(
        [LayerEnergy(name="a", macs=5, acs=0, energy_pj=1), LayerEnergy(name="b", macs=5, acs=2, energy_pj=1)]
    )
    assert drawn == [to_rgba(RED), to_rgba(GREEN)]
