"""How all figures look: colours of places, margins, and names that are shown as they are."""

import html
from collections.abc import Sequence

import plotly.graph_objects as go

# One colour a place: they must differ for eyes that see red and green alike, on white and on black (Okabe and Ito).
PLACES = {"climbing": "#009e73", "resting": "#56b4e9", "out": "#999999", "finished": "#e69f00", "failed": "#d55e00"}
LEADER = "#d55e00"
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#999999")
_GRID = "rgba(128,128,128,0.2)"


def as_text(name: object) -> str:
    """Return a name such that plotly shows it as it is: it takes tags for markup."""
    return html.escape(str(name), quote=False)


def drawn(traces: Sequence[go.Scatter], *, x: str, y: str, height: int = 340) -> go.Figure:
    """Return a figure of some traces with its axes named; its colours suit a light page and a dark one."""
    figure = go.Figure(list(traces))
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 60, "r": 12, "t": 12, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 12},
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID, "automargin": True}
    figure.update_xaxes(title={"text": as_text(x)}, **axis)
    figure.update_yaxes(title={"text": as_text(y)}, **axis)
    return figure
