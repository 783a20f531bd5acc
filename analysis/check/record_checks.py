"""Whether a record tells a story that can have happened."""

from collections.abc import Callable, Iterable, Iterator

from analysis.check.findings import Finding
from schedulers.search_settings import make_ladder
from studies.events import ClimbEnded, ClimbStarted, Dropped, EpochScored, Event, Launched, Rewound, TrialAdded
from studies.record import readable_events
from studies.study_folder import StudyFolder


def record_findings(folder: StudyFolder) -> Iterator[Finding]:
    """Yield what is wrong with a study's record by itself."""
    if not folder.record.exists():
        yield Finding(str(folder.record), "is gone")
        return
    events, damaged = readable_events(folder.record)
    for number in damaged:
        yield Finding(f"{folder.record}: line {number}", "cannot be read")
    ladder = make_ladder(folder.stored_space())
    if not damaged:
        yield from (Finding(str(folder.record), told) for told in contradictions(events, ladder.position))


def contradictions(events: Iterable[Event], position: Callable[[int], tuple[int, int]]) -> Iterator[str]:
    """Yield what cannot have happened: trials out of order, doubled epochs, climbs of no one, attempts that do not grow."""
    done: dict[int, int] = {}
    climbing: set[int] = set()
    attempt = 0
    for event in events:
        if isinstance(event, Launched | Dropped):
            continue
        if isinstance(event, TrialAdded):
            if event.trial != len(done):
                yield f"trial {event.trial} was added when trial {len(done)} was next"
            done[event.trial] = 0
        elif event.trial not in done:
            yield f"an event '{event.event}' of trial {event.trial}, which was never added"
            done[event.trial] = 0
        elif isinstance(event, EpochScored):
            if (event.fold, event.epoch) != position(done[event.trial]):
                yield f"trial {event.trial}: fold {event.fold} epoch {event.epoch} came as its fold-epoch {done[event.trial] + 1}"
            done[event.trial] += 1
        elif isinstance(event, ClimbStarted):
            if event.trial in climbing:
                yield f"trial {event.trial}: attempt {event.attempt} began before the last climb had ended"
            if event.attempt <= attempt:
                yield f"trial {event.trial}: attempt {event.attempt} is not newer than attempt {attempt}"
            attempt = max(attempt, event.attempt)
            climbing.add(event.trial)
        elif isinstance(event, Rewound):
            done[event.trial] = event.fold_epochs
        else:
            if isinstance(event, ClimbEnded) and event.trial not in climbing:
                yield f"trial {event.trial}: a climb ended that never began"
            climbing.discard(event.trial)
