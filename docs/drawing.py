"""Draw a state machine as an SVG image: boxes, and arrows with labels between them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Arrow", "draw"]

BOX = (180, 40)
LINE = 16
_HALO = 'fill="#222" stroke="#fff" stroke-width="5" paint-order="stroke"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """From one box to another. `label`: its lines, at `at` of the way; `shift`: to the right."""

    start: str
    end: str
    label: Sequence[str] = ()
    at: float = 0.5
    shift: int = 0


def draw(
    places: Mapping[str, tuple[int, int]], arrows: Iterable[Arrow], *, width: int, height: int
) -> str:
    """Return the image. `places`: the middle of each box."""
    drawn = [_arrow(places, each) for each in arrows]
    boxes = [_box(name, place) for name, place in places.items()]
    return "\n".join([_head(width, height), *drawn, *boxes, "</svg>", ""])


def _head(width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="13" text-anchor="middle">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>\n'
        '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="#555"/></marker></defs>'
    )


def _box(name: str, place: tuple[int, int]) -> str:
    (x, y), (width, height) = place, BOX
    return (
        f'<rect x="{x - width // 2}" y="{y - height // 2}" width="{width}" height="{height}" '
        f'rx="6" fill="#eef3fb" stroke="#335"/><text x="{x}" y="{y + 4}">{escape(name)}</text>'
    )


def _arrow(places: Mapping[str, tuple[int, int]], arrow: Arrow) -> str:
    """Return a line from the edge of one box to the edge of the other, with its label."""
    start, end = places[arrow.start], places[arrow.end]
    (x1, y1), (x2, y2) = _edge(start, end), _edge(end, start)
    x1, x2 = x1 + arrow.shift, x2 + arrow.shift
    x, y = round(x1 + (x2 - x1) * arrow.at), round(y1 + (y2 - y1) * arrow.at)
    line = f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#555" marker-end="url(#a)"/>'
    top = y + 4 - LINE * (len(arrow.label) - 1) // 2
    texts = (
        f'<text {_HALO} x="{x}" y="{top + LINE * number}">{escape(text)}</text>'
        for number, text in enumerate(arrow.label)
    )
    return line + "".join(texts)


def _edge(place: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Return the point of a box that is nearest to the other box."""
    (x, y), (to_x, to_y) = place, other
    half_width, half_height = BOX[0] // 2, BOX[1] // 2
    if abs(to_x - x) > 2 * half_width:
        return x + (half_width if to_x > x else -half_width), y
    return x, y + (half_height if to_y > y else -half_height)
