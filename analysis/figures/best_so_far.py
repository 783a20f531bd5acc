"""Every score at a rung over the time of search, and the line of those that led."""

import plotly.graph_objects as go

from analysis.figures.leader_line import corners
from analysis.figures.style import LEADER, as_text, drawn
from analysis.reading.timeline import Scored, Timeline
from analysis.reading.words import spell_parameters, spell_rung
from search_spaces import SearchSpace
from studies.state.rungs import Rungs
from studies.state.shown_metric import shown_metric
from studies.state.study_state import StudyState


def best_so_far(timeline: Timeline, study: StudyState, space: SearchSpace, rungs: Rungs) -> go.Figure:
    """Return the figure; dots are darker the further a trial had come."""
    metric = shown_metric(space.metric, study)

    def hover(one: Scored) -> str:
        knobs = spell_parameters(space.active(study.trials[one.trial].configuration)).replace(", ", "\n")
        told = f"trial {one.trial}: {metric.spelled(one.score)} after {spell_rung(one.rung, rungs)}\n{knobs}"
        return as_text(told).replace("\n", "<br>")

    scored, line_of = timeline.scored, corners(timeline)
    dots = go.Scatter(
        x=[one.seconds / 60 for one in scored],
        y=[metric.shown(one.score) for one in scored],
        text=[hover(one) for one in scored],
        mode="markers",
        name="trials at rungs",
        hoverinfo="text",
        marker={
            "size": 7,
            "color": [rungs.cost(one.rung) / rungs.whole for one in scored],
            "colorscale": [[0, "#c6dbef"], [1, "#08519c"]],
            "cmin": 0,
            "cmax": 1,
        },
    )
    line = go.Scatter(
        x=[minute for minute, _ in line_of],
        y=[metric.shown(one.score) if one else None for _, one in line_of],
        text=[hover(one) if one else "" for _, one in line_of],
        mode="lines",
        line={"color": LEADER, "width": 2},
        name="the leader: the furthest, then the best",
        hoverinfo="text",
    )
    return drawn([dots, line], x="minutes of search", y=metric.title)
