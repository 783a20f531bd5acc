"""Learning curves: the score of every fold of a trial after each of its epochs, one fold after the other."""

import plotly.graph_objects as go

from analysis.figures.style import SERIES, drawn
from analysis.leaderboard.rows import leaderboard
from search_spaces import SearchSpace
from studies.record.events import EpochScored
from studies.state.rungs import Rungs
from studies.state.shown_metric import shown_metric
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

SHOWN = 24  # curves; of more no eye tells one from the other


def learning_curves(study: StudyState, space: SearchSpace, rungs: Rungs) -> go.Figure:
    """Return the figure: the first of the leaderboard, and whoever climbs; folds begin at the dotted lines."""
    metric = shown_metric(space.metric, study)
    traces = []
    for place, trial in enumerate(curves_shown(study, rungs, space.metric)):
        colour = SERIES[place % len(SERIES)]
        traces.append(
            go.Scatter(
                x=[epoch.fold * rungs.epochs + epoch.epoch + 1 for epoch in in_order(trial)],
                y=[metric.shown(epoch.score) for epoch in in_order(trial)],
                mode="lines+markers",
                name=f"trial {trial.number}{' (recipe)' if trial.origin == 'recipe' else ''}",
                line={"color": colour, "width": 2 if trial.climbing or place < 3 else 1},
                marker={"size": 4},
                opacity=1.0 if trial.climbing or place < len(SERIES) else 0.5,
                hovertemplate="%{fullData.name}, fold-epoch %{x}: %{y:.3f}<extra></extra>",
            )
        )
    figure = drawn(traces, x="fold-epochs", y=metric.title)
    figure.update_layout(showlegend=len(traces) <= len(SERIES))
    for fold in range(1, rungs.folds):
        figure.add_vline(x=fold * rungs.epochs + 0.5, line={"dash": "dot", "width": 1, "color": "#999999"})
    return figure


def curves_shown(study: StudyState, rungs: Rungs, metric: str) -> list[TrialState]:
    """Return whose curves are drawn: who climbs, then the leaderboard from its first, `SHOWN` in all."""
    best = [study.trials[row.trial] for row in leaderboard(study, rungs, metric)]
    climbing = [trial for trial in study.climbing() if trial.epochs]
    return list({trial.number: trial for trial in (*best[:3], *climbing, *best)}.values())[:SHOWN]


def in_order(trial: TrialState) -> list[EpochScored]:
    """Return a trial's epochs fold by fold, whatever the order in which they were trained."""
    return sorted(trial.epochs, key=lambda epoch: (epoch.fold, epoch.epoch))
