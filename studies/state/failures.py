"""What a study says where every trial has failed: more time changes nothing then."""

from studies.state.study_state import StudyState


def all_failed(study: StudyState) -> str | None:
    """Return in one sentence that every trial has failed and why the last one did, None where one has not."""
    trials = list(study.trials.values())
    if not trials or any(trial.failure is None for trial in trials):
        return None
    last = trials[-1]
    count = "The only trial has" if len(trials) == 1 else f"All {len(trials)} trials have"
    return f"{count} failed, the last one ({last.failure}): {last.reason}."
