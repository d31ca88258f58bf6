# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of workers, from samples that are known."""

import subprocess
import sys
from xml.etree import ElementTree

import numpy
import pytest

from pynvme.samples import GROUP, Samples, edges

plot = pytest.importorskip("pynvme.plot", exc_type=ImportError)


def made(rate, us, number=20):
    """A worker with so many IOs each tenth of a second. 99 % take ``us``, and 1 % ten times as long."""
    samples = Samples(4096)
    samples.begin(0)
    counts = numpy.zeros((len(edges()) - 1) * GROUP, dtype=numpy.uint64)
    places = [(int(numpy.searchsorted(edges(), x, "right")) - 1) * GROUP for x in (us, us * 10)]
    for index in range(1, number + 1):
        counts = counts.copy()
        counts[places[0]] += numpy.uint64(rate // 100 * 99)
        counts[places[1]] += numpy.uint64(rate // 100)
        samples.add(index * 100_000_000, index * rate, counts)
    return samples


def lines_of(axes):
    """The lines of axes by their labels."""
    return {line.get_label(): line for line in axes.get_lines()}


def test_a_timeline_has_iops_bandwidth_and_latency():
    figure = plot.timeline(made(1000, 80), "the title")
    rate, bandwidth, latency = figure.axes
    assert rate.get_lines()[0].get_ydata() == pytest.approx(10000)
    assert bandwidth.get_lines()[0].get_ydata() == pytest.approx(10000 * 4096 / 1e6)
    found = {name: line.get_ydata()[5] for name, line in lines_of(latency).items()}
    assert found == pytest.approx({"median": 80, "99 %": 80, "99.9 %": 800}, rel=0.13)
    assert len({line.get_linestyle() for line in latency.get_lines()}) == 3, "told apart also without colours"
    assert figure.get_suptitle() == "the title"


def test_percentiles_and_a_comparison_have_a_curve_for_each_run():
    figure = plot.compare({"fw 1.0": made(1000, 80), "fw 1.1": made(2000, 40)})
    rate, curve, bars = figure.axes
    assert set(lines_of(rate)) >= {"fw 1.0", "fw 1.1"}
    old, new = (lines_of(curve)[name].get_ydata() for name in ("fw 1.0", "fw 1.1"))
    assert (old > new).all() and (numpy.diff(old) >= 0).all()
    heights = [patch.get_height() + 1 for patch in bars.patches]
    assert heights[:6] == [1] * 6
    assert heights[6:] == pytest.approx([2, 2, 0.5, 0.5, 0.5, 0.5], rel=0.1)
    ((single,),) = [axes.get_lines() for axes in plot.percentiles(made(1000, 80)).axes]
    assert [single.get_ydata()[i] for i in (0, -1)] == pytest.approx([old[i] for i in (0, -1)], rel=0.01)


def test_a_heat_map_has_all_ios():
    figure = plot.heatmap(made(1000, 80))
    (mesh,) = figure.axes[0].collections
    per_second = mesh.get_array().filled(0).sum(axis=0)
    assert per_second == pytest.approx(10000 * 0.99 + 100, rel=0.02)
    top, bottom = figure.axes[0].get_ylim()[::-1]
    assert bottom < 80 < 800 < top * 1.1


def test_a_picture_is_an_svg_with_text_and_a_png(tmp_path):
    figure = plot.overview([made(1000, 80), made(500, 20, 10)])
    figure.save(tmp_path / "it.svg")
    words = [
        element.text
        for element in ElementTree.parse(tmp_path / "it.svg").iter("{http://www.w3.org/2000/svg}text")
    ]
    assert any("us" in (word or "") for word in words), "its text can be searched"
    assert (tmp_path / "it.svg").stat().st_size < 150_000
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert len(figure.axes) == 6


def test_a_figure_of_the_script_keeps_its_settings():
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot.overview(made(1000, 80))
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: plot.timeline({"mseconds": 3}), ValueError, "progress=True"),
        (lambda: plot.timeline(3), TypeError, "not int"),
        (lambda: plot.heatmap("text"), TypeError, "not str"),
        (lambda: plot.overview([]), ValueError, "no samples"),
        (lambda: plot.timeline(Samples(512)), ValueError, "no IO"),
        (lambda: plot.compare(made(100, 1)), TypeError, "a dict of names"),
        (lambda: plot.compare({"mseconds": 1, "samples": made(100, 1)}), TypeError, "a dict of names"),
        (lambda: plot.compare({}), ValueError, "nothing to compare"),
    ],
)
def test_what_is_no_result_is_refused(call, error, told):
    with pytest.raises(error, match=told):
        call()


def test_without_matplotlib_it_says_what_to_install_and_pynvme_does_not_need_it(environment):
    code = (
        "import sys; sys.modules['matplotlib'] = None; import nvme, pynvme.live\n"
        "try: import pynvme.plot\nexcept ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == f"pictures need matplotlib: {sys.executable} -m pip install matplotlib\n"
