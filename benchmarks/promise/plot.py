"""Promises against the truth as a picture: one interval a study, in the order of the true scores. SVG, written by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 900, 380, 48, 60, 16
_INSIDE, _OUTSIDE = "#1f6f8b", "#c0392b"


def write_plot(rows: Sequence[Mapping[str, Any]], out: Path, promise: str = "with") -> None:
    """Write every study's interval, its naive score and the truth."""
    ordered = sorted(rows, key=lambda row: row["truth"])
    step = (_WIDTH - _LEFT - 10) / max(len(ordered), 1)
    marks = [_marks(row, promise, _LEFT + (place + 0.5) * step) for place, row in enumerate(ordered)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join([_opening(), *_grid(), *marks, _legend(), "</svg>\n"]), encoding="utf-8")


def _marks(row: Mapping[str, Any], promise: str, x: float) -> str:
    one = row[promise]
    colour = _INSIDE if one["low"] <= row["truth"] <= one["high"] else _OUTSIDE
    low, high, truth, naive = (_y(value) for value in (one["low"], one["high"], row["truth"], one["naive"]))
    label = f"{row['task'][0]}{row['persons']}"
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="{colour}" stroke-width="5" opacity="0.55"/>'
        f'<circle cx="{x:.1f}" cy="{truth:.1f}" r="4" fill="black"/>'
        f'<circle cx="{x:.1f}" cy="{naive:.1f}" r="4" fill="white" stroke="black"/>'
        f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle" font-size="10">{label}</text>'
    )


def _y(score: float) -> float:
    return _TOP + (1 - score) * (_HEIGHT - _TOP - _BOTTOM)


def _opening() -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    )


def _grid() -> list[str]:
    lines = []
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        lines.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
    return lines


def _legend() -> str:
    y = _HEIGHT - 14
    return (
        f'<line x1="{_LEFT}" x2="{_LEFT + 24}" y1="{y - 4}" y2="{y - 4}" stroke="{_INSIDE}" stroke-width="5" opacity="0.55"/>'
        f'<text x="{_LEFT + 30}" y="{y}">promised, 90 % (red: missed)</text>'
        f'<circle cx="{_LEFT + 230}" cy="{y - 4}" r="4" fill="black"/><text x="{_LEFT + 240}" y="{y}">2,000 fresh persons</text>'
        f'<circle cx="{_LEFT + 390}" cy="{y - 4}" r="4" fill="white" stroke="black"/>'
        f'<text x="{_LEFT + 400}" y="{y}">seen out of fold; task and persons below</text>'
    )
