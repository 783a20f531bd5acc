"""Several studies side by side: who led in each, over the time of its search."""

from collections.abc import Mapping

import plotly.graph_objects as go

from analysis.figures.style import SERIES, as_text, drawn
from analysis.reading.timeline import Timeline
from studies.metrics import Metric


def studies_compared(timelines: Mapping[str, tuple[Timeline, Metric]]) -> go.Figure:
    """Return the figure; a line ends at its study's last change of leader. Studies of other metrics have a dashed line."""
    usual = next((metric for _, metric in timelines.values()), None)
    traces = []
    for place, (name, (timeline, metric)) in enumerate(timelines.items()):
        leaders = timeline.leaders
        until = timeline.scored[-1].seconds / 60 if timeline.scored else 0.0
        scores = [metric.shown(one.score) for one in leaders]
        traces.append(
            go.Scatter(
                x=[*(one.seconds / 60 for one in leaders), until] if leaders else [],
                y=[*scores, scores[-1]] if leaders else [],
                mode="lines",
                line={
                    "shape": "hv",
                    "color": SERIES[place % len(SERIES)],
                    "dash": "solid" if metric is usual else "dash",
                },
                name=as_text(f"{name} ({metric.title})"),
                hovertemplate="%{fullData.name}: %{y:.3f} after %{x:.1f} minutes<extra></extra>",
            )
        )
    return drawn(traces, x="minutes of search", y=as_text(usual.title if usual else "score"))
