"""Draw results: a bar for each median, and a dot for each round."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .run import Panel, spread

__all__ = ["draw"]

# Text stays text in the SVG, and the same numbers give the same file.
mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "results", "font.size": 9}
OURS, OTHERS = "#2f6f4f", "#9aa5ad"


def draw(path: Path, panels: Sequence[Panel]) -> None:
    """Write one SVG, with a row for each panel."""
    heights = [0.7 + 0.25 * len(panel.names) for panel in panels]
    figure = Figure(figsize=(8, sum(heights)), layout="constrained")
    rows = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, panel in zip(rows[:, 0], panels, strict=True):
        _fill(axes, panel)
    figure.savefig(path, metadata={"Date": None})


def _fill(axes: Axes, panel: Panel) -> None:
    for place, name in enumerate(panel.names):
        values = [each[name] for each in panel.rounds if name in each]
        color = OURS if name.startswith("ours") else OTHERS
        axes.barh(place, spread(values).median, color=color, height=0.7)
        axes.plot(values, [place] * len(values), ".", color="black", markersize=3)
    axes.set_yticks(range(len(panel.names)), panel.names)
    axes.invert_yaxis()
    axes.set_title(f"{panel.title}: {panel.unit}", loc="left", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
