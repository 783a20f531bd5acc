"""What is missing or damaged in a study, in sentences: the page shows what there is all the same."""

from collections.abc import Iterator
from pathlib import Path

from analysis.page.contents.watched import WatchedStudy
from analysis.reading.words import typed_path
from command_line.commands import typed
from studies.errors import StudyError
from studies.trials.manifest import trial_path

_NAMED = 5  # trials by number


def notes(study: WatchedStudy) -> Iterator[str]:
    """Yield what a reader should know before trusting the rest."""
    check = f"{typed('check')} {typed_path(study.folder.path)}"
    if study.damaged:
        lines = ", ".join(map(str, study.damaged[:_NAMED]))
        yield f"record.jsonl: lines cannot be read ({lines}): they are damaged. {check} says more."
    if not study.folder.record.exists():
        yield "record.jsonl is not there: nothing was recorded yet, or it was taken away."
    trials = study.history.state.trials.values()
    if trials and all(trial.failure is not None for trial in trials):
        yield "Every trial has failed; the reasons are below."
    gone = [t.number for t in trials if t.epochs and not trial_path(study.folder.path, t.number).exists()]
    if gone:
        numbers = ", ".join(map(str, gone[:_NAMED])) + (", ..." if len(gone) > _NAMED else "")
        yield f"The folders of these trials are gone: {numbers}. Their scores stand in the record. {check} says what follows."
    yield from _images(study)


def _images(study: WatchedStudy) -> Iterator[str]:
    try:
        data = study.folder.facts(study.folder.data)
    except StudyError as error:
        yield f"{error}."
        return
    root = data.get("root")
    if root and not Path(str(root)).exists():
        yield f"The images are no longer at {root}: what was trained stays, but no trial can go on without them."
