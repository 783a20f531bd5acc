"""The metric of a study for showing scores: of a plugin's metric the record has the facts, so its code is not needed."""

from math import inf

from studies.metrics import METRICS, Metric, Probabilities, Targets
from studies.record.events import MetricFacts
from studies.state.study_state import StudyState


def shown_metric(name: str, study: StudyState) -> Metric:
    """Return a study's metric; one of a plugin that is not loaded spells scores and measures none.

    Formats 1 to 4 say nothing of a plugin's metric: then more is better and it is called by its name.
    """
    if name in METRICS:
        return METRICS[name]
    launch = study.launch
    facts = launch.metric if launch is not None and launch.metric is not None else None
    facts = facts or MetricFacts(name=name, title=name, maximised=True, range=(None, None))
    low, high = facts.range
    bounds = (-inf if low is None else low, inf if high is None else high)
    return Metric(facts.name, facts.title, _measure, bounds, "", facts.maximised)


def _measure(targets: Targets, probabilities: Probabilities) -> float:
    raise ValueError("the metric is of a plugin that is not loaded, so nothing can be measured by it")
