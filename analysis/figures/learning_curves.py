"""Learning curves: the pooled score of every trial after each of its fold-epochs."""

import plotly.graph_objects as go

from analysis.figures.style import SERIES, drawn
from analysis.leaderboard.rows import leaderboard
from schedulers.ladder import Ladder
from search_spaces import SearchSpace
from studies.metrics import METRICS
from studies.study_state import StudyState, TrialState

SHOWN = 24  # curves; of more no eye tells one from the other


def learning_curves(study: StudyState, space: SearchSpace, ladder: Ladder) -> go.Figure:
    """Return the figure: the first of the leaderboard, and whoever climbs; folds begin at the dotted lines."""
    metric = METRICS[space.metric]
    traces = []
    for place, trial in enumerate(curves_shown(study, ladder, space.metric)):
        colour = SERIES[place % len(SERIES)]
        traces.append(
            go.Scatter(
                x=list(range(1, trial.fold_epochs + 1)),
                y=[metric.shown(epoch.score) for epoch in trial.epochs],
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
    if ladder.fold_order == "sequential":
        for fold in range(1, ladder.folds):
            figure.add_vline(x=fold * ladder.epochs + 0.5, line={"dash": "dot", "width": 1, "color": "#999999"})
    return figure


def curves_shown(study: StudyState, ladder: Ladder, metric: str) -> list[TrialState]:
    """Return whose curves are drawn: who climbs, then the leaderboard from its first, `SHOWN` in all."""
    best = [study.trials[row.trial] for row in leaderboard(study, ladder, metric)]
    climbing = [trial for trial in study.climbing() if trial.epochs]
    return list({trial.number: trial for trial in (*best[:3], *climbing, *best)}.values())[:SHOWN]
