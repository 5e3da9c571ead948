"""Draw the dashboard's panels for the documents: `python -m docs.make_panels`. Needs Prometheus.

The curves are those of real scrapes: two nodes, whose tokens are revoked, whose channel layer
fails for a while, and which somebody floods with bad tokens. A minute of the dashboard takes
seconds here.
"""

import json
import time
from contextlib import ExitStack
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.deploy.incident import Incident, eventually, incident
from tests.deploy.prometheus import MONITORING, quickened

__all__ = ["main"]

IMAGE = Path(__file__).parent / "images" / "dashboard.svg"
WIDTH, HEIGHT, GAP = 460, 190, 16
PLOT = (44, 46, WIDTH - 16, HEIGHT - 30)
"""Left, top, right and bottom of the curves in a panel."""

COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#57606a", "#bf3989", "#0a7ea4")
MAX_SERIES = len(COLOURS)
USERS = ("ada", "bob", "cleo", "dan")


def main() -> None:
    """Run the scenario, and write the image."""
    with TemporaryDirectory() as folder, incident(Path(folder)) as watched:
        start = time.time()
        _happen(watched)
        end = time.time()
        dashboard = json.loads((MONITORING / "dashboard.json").read_text())
        panels = [_series(watched, panel, start, end) for panel in dashboard["panels"]]
    IMAGE.write_text(_draw(panels, start, end))


def _happen(watched: Incident) -> None:
    seen = watched.prometheus
    with ExitStack() as clients:
        for name in USERS:
            watched.open(name, clients)
        # The curves begin with the first scrape: what happened before is on none of them.
        open_sockets = "channels_token_auth_open_connections"
        eventually(lambda: list(seen.query(open_sockets).values()) == [len(USERS)] * 2)
        for name in USERS[:2]:
            watched.revoke(name)
            eventually(lambda name=name: watched.has_ended(name))  # type: ignore[misc]
        watched.redis.stop()
        eventually(lambda: "TokenChannelLayerDown" in seen.firing())
        watched.revoke(USERS[2])
        eventually(lambda: watched.has_ended(USERS[2]))
        watched.redis.start()
        eventually(lambda: not seen.firing())
        until = time.monotonic() + 12
        while time.monotonic() < until:
            watched.flood()
        eventually(lambda: not seen.firing())


def _series(
    watched: Incident, panel: dict[str, Any], start: float, end: float
) -> tuple[str, list[tuple[str, list[tuple[float, float]]]]]:
    """Return the panel's title, and each of its curves with a legend."""
    nodes = {node: f"node {number}" for number, node in enumerate(watched.nodes, 1)}
    curves = []
    for target in panel["targets"]:
        expression = quickened(target["expr"])
        for each in watched.prometheus.query_range(expression, start, end):
            legend = target["legendFormat"]
            for label, value in each["metric"].items():
                legend = legend.replace(f"{{{{{label}}}}}", nodes.get(value, value))
            points = [(float(at), float(value)) for at, value in each["values"]]
            curves.append((legend, [(at, value) for at, value in points if value == value]))  # noqa: PLR0124 - NaN
    shown = [curve for curve in curves if any(value for _, value in curve[1])]
    return panel["title"], (shown or curves)[:MAX_SERIES]


def _draw(panels: list[Any], start: float, end: float) -> str:
    rows = -(-len(panels) // 2)
    width, height = 2 * WIDTH + 3 * GAP, rows * HEIGHT + (rows + 1) * GAP
    drawn = [
        f'<g transform="translate({GAP + number % 2 * (WIDTH + GAP)} '
        f'{GAP + number // 2 * (HEIGHT + GAP)})">{_panel(title, curves, start, end)}</g>'
        for number, (title, curves) in enumerate(panels)
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="11" fill="#24292f">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#eceeea"/>'
    )
    return "\n".join([head, *drawn, "</svg>", ""])


def _panel(title: str, curves: list[Any], start: float, end: float) -> str:
    left, top, right, bottom = PLOT
    highest = max((value for _, points in curves for _, value in points), default=0) or 1
    lines = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#fff" stroke="#cfd5d0"/>',
        f'<text x="12" y="20" font-size="13" font-weight="600">{escape(title)}</text>',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#8c959f"/>',
        f'<text x="{left - 6}" y="{top + 4}" text-anchor="end">{highest:.3g}</text>',
        f'<text x="{left - 6}" y="{bottom + 4}" text-anchor="end">0</text>',
        f'<text x="{right}" y="{bottom + 16}" text-anchor="end">{end - start:.0f} s</text>',
    ]
    x = 12
    for colour, (legend, points) in zip(COLOURS, curves, strict=False):
        scaled = " ".join(
            f"{left + (at - start) / (end - start) * (right - left):.0f},"
            f"{bottom - value / highest * (bottom - top):.1f}"
            for at, value in points
        )
        lines.append(
            f'<polyline points="{scaled}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
        lines.append(f'<text x="{x}" y="36" fill="{colour}">{escape(legend)}</text>')
        x += 6 * len(legend) + 14
    return "".join(lines)


if __name__ == "__main__":
    main()
