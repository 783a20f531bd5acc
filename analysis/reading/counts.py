"""Where the trials of a study stand, in numbers: for the live table and the end of a search."""

from dataclasses import dataclass

from studies.state.ranking import competitors, ranked_at
from studies.state.rungs import Rungs
from studies.state.search_facts import SearchFacts
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


@dataclass(frozen=True)
class Counts:
    """How many trials are where; the five numbers add up to all trials."""

    climbing: int
    resting: int  # stands at a rung and may still go on
    out: int  # compared, and others go on
    finished: int
    failed: int


def count_trials(study: StudyState, facts: SearchFacts) -> Counts:
    """Count the trials by where they stand now."""
    counts = dict.fromkeys(("climbing", "resting", "out", "finished", "failed"), 0)
    for place in places(study, facts).values():
        counts[place] += 1
    return Counts(**counts)


def places(study: StudyState, facts: SearchFacts) -> dict[int, str]:
    """Return for every trial which of the five numbers it belongs to.

    Only the driver decides who goes on. As seen from the record, a trial is out once its search has ended, or once as many others
    as there are places have gone on from its rung or stand there with a better score.
    """
    ended = study.ending is not None and study.ending.outcome == "finished"
    out = _outranked(study, facts)
    return {
        trial.number: _place(trial, facts.rungs, out=ended or trial.number in out) for trial in study.trials.values()
    }


def _outranked(study: StudyState, facts: SearchFacts) -> set[int]:
    """Return the trials behind so many others on their rung that there is no place for them above it."""
    behind, trials = set[int](), competitors(study)
    for rung in facts.rungs.levels[:-1]:
        ranked = ranked_at(trials, rung)
        places = max(facts.strategy.finalists, int(len(ranked) * float(facts.strategy.settings.get("keep") or 0.5)))
        if rung.epoch == facts.rungs.epochs or rung == facts.rungs.inside_first_fold[-1]:
            places = facts.strategy.finalists
        behind |= {trial.number for trial in ranked[places:] if trial.standing(facts.rungs) == rung}
    return behind


def _place(trial: TrialState, rungs: Rungs, *, out: bool) -> str:
    if trial.failure is not None:
        return "failed"
    if trial.climbing:
        return "climbing"
    if trial.has_trained(rungs.top):
        return "finished"
    return "out" if out and trial.origin != "recipe" and not trial.interrupted else "resting"
