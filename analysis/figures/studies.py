"""Several studies side by side: who led in each, over the time of its search."""

from collections.abc import Mapping

import plotly.graph_objects as go

from analysis.figures.leader_line import corners
from analysis.figures.style import SERIES, as_text, drawn
from analysis.reading.timeline import Timeline
from studies.metrics import Metric


def studies_compared(timelines: Mapping[str, tuple[Timeline, Metric]]) -> go.Figure:
    """Return the figure; a line ends with its study's search. Studies of other metrics have a dashed line."""
    usual = next((metric for _, metric in timelines.values()), None)
    traces = []
    for place, (name, (timeline, metric)) in enumerate(timelines.items()):
        line = corners(timeline)
        traces.append(
            go.Scatter(
                x=[minute for minute, _ in line],
                y=[metric.shown(one.score) if one else None for _, one in line],
                mode="lines",
                line={
                    "color": SERIES[place % len(SERIES)],
                    "dash": "solid" if metric is usual else "dash",
                },
                name=as_text(f"{name} ({metric.title})"),
                hovertemplate="%{fullData.name}: %{y:.3f} after %{x:.1f} minutes<extra></extra>",
            )
        )
    return drawn(traces, x="minutes of search", y=usual.title if usual else "score")
