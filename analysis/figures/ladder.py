"""The ladder as a picture: who stands on which rung, who climbs, and who is out."""

import plotly.graph_objects as go

from analysis.figures.style import PLACES, as_text, drawn
from analysis.reading.counts import places
from analysis.reading.words import spell_fold_epochs, spell_parameters, spell_rung
from search_spaces import SearchSpace
from studies.metrics import Metric
from studies.state.rungs import Rungs
from studies.state.search_facts import SearchFacts
from studies.state.shown_metric import shown_metric
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

_CLOSE = 0.03  # of the width: nearer than that, markers lie on each other
_APART = (0.0, 0.3, -0.3)  # rungs
_NUMBERED = 60  # trials in sight; of more the numbers would lie on each other


def ladder_picture(study: StudyState, space: SearchSpace, facts: SearchFacts) -> go.Figure:
    """Return the figure: rungs from below to above, scores from left to right; who climbs stands between two rungs."""
    metric, rungs = shown_metric(space.metric, study), facts.rungs
    heights = (0, *(rungs.cost(rung) for rung in rungs.levels))
    standing = places(study, facts)
    scores = _scores_shown(study, metric)
    traces, heights_of = [], _heights(study, heights, scores)
    for place, colour in PLACES.items():
        trials = [trial for trial in study.trials.values() if standing[trial.number] == place]
        traces.append(
            go.Scatter(
                x=[scores[trial.number] for trial in trials],
                y=[heights_of[trial.number] for trial in trials],
                mode="markers+text" if len(study.trials) <= _NUMBERED else "markers",
                text=[str(trial.number) for trial in trials],
                textfont={"size": 10, "color": "#ffffff" if place != "resting" else "#000000"},
                hovertext=[_hover(trial, space, rungs, metric) for trial in trials],
                hoverinfo="text",
                name=f"{len(trials)} {place}",
                marker={
                    "size": 18,
                    "color": colour,
                    "symbol": "triangle-up" if place == "climbing" else "circle",
                    "line": {"width": 1, "color": "rgba(255,255,255,0.7)"},
                },
            )
        )
    figure = drawn(traces, x=metric.title, y="", height=120 + 46 * len(heights))
    names = ["begins", *(spell_rung(rung, rungs) for rung in rungs.levels)]
    figure.update_yaxes(tickvals=list(range(len(heights))), ticktext=names, range=[-0.5, len(heights) - 0.5])
    return figure


def _scores_shown(study: StudyState, metric: Metric) -> dict[int, float]:
    """Return where every trial stands from left to right; one without a score is no better than the worst."""
    scores = {number: trial.epochs[-1].score for number, trial in study.trials.items() if trial.epochs}
    worst = min(scores.values(), default=0.0)
    return {number: metric.shown(scores.get(number, worst)) for number in study.trials}


def _heights(study: StudyState, rungs: tuple[int, ...], scores: dict[int, float]) -> dict[int, float]:
    """Return how high every trial stands; those whose scores would have them lie on each other are set apart a little."""
    close = _CLOSE * (max(scores.values(), default=1.0) - min(scores.values(), default=0.0))
    last: dict[int, tuple[float, int]] = {}  # by fold-epochs: the score before, and how many have been set apart since
    heights = {}
    for number in sorted(scores, key=lambda one: scores[one]):
        trial = study.trials[number]
        before, apart = last.get(trial.fold_epochs, (float("-inf"), 0))
        apart = apart + 1 if scores[number] - before < close else 0
        last[trial.fold_epochs] = scores[number], apart
        heights[number] = _height(trial.fold_epochs, rungs) + _APART[apart % len(_APART)]
    return heights


def _height(fold_epochs: int, heights: tuple[int, ...]) -> float:
    """Return how high so many fold-epochs are, in rungs: whole on a rung, between two on the way."""
    above = next((index for index, rung in enumerate(heights) if rung >= fold_epochs), len(heights) - 1)
    if heights[above] == fold_epochs or not above:
        return float(above)
    below = heights[above - 1]
    return above - 1 + (fold_epochs - below) / (heights[above] - below)


def _hover(trial: TrialState, space: SearchSpace, rungs: Rungs, metric: Metric) -> str:
    score = metric.spelled(trial.epochs[-1].score) if trial.epochs else "no score yet"
    lines = [f"trial {trial.number} ({trial.origin}): {score}"]
    if trial.epochs:
        lines.append(f"after {spell_fold_epochs(trial.fold_epochs, rungs)}")
    if trial.failure:
        lines.append(f"{trial.failure}: {trial.reason}")
    lines += spell_parameters(space.active(trial.configuration)).split(", ")
    return "<br>".join(map(as_text, lines))
