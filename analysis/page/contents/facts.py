"""What a study has come to in a few lines: status, trials, budget, time left, throughput and disk."""

import os
import shutil
import time
from pathlib import Path

from analysis.page.contents.watched import Story, WatchedStudy
from analysis.reading.counts import count_trials
from analysis.reading.pace import share_saved, spell_left, throughput
from analysis.reading.words import counted
from schedulers.next_work import Finished, next_work
from schedulers.search_settings import make_budget
from search_spaces.durations import spell_duration
from search_spaces.sizes import spell_size

_SIZE_EVERY = 20.0  # seconds between two looks at the size of a folder


def status(study: WatchedStudy) -> tuple[str, str]:
    """Return a word, running, finished, stopped or empty, and why in a sentence."""
    story = study.story
    if study.running:
        trials = counted(len(story.state.climbing()), "trial")
        return "running", f"{trials} training" if story.state.trials else "the search is starting"
    if not story.state.trials:
        return "empty", "nothing was trained yet; the same launch command begins it"
    work = next_work(
        story.state, story.launch.ladder, make_budget(story.launch.space), story.launch.slots, story.state.last_time
    )
    if isinstance(work, Finished):
        return "finished", work.reason
    return "stopped", "nothing is lost; the same launch command goes on"


def facts(study: WatchedStudy, now: float) -> list[tuple[str, str]]:
    """Return lines of a name and a value."""
    story, space = study.story, study.story.launch.space
    counts = count_trials(story.state, story.launch.ladder)
    standing = ", ".join(f"{count} {place}" for place, count in vars(counts).items() if count)
    begun, most = len(story.state.trials), max(space.search.trials, len(story.state.trials))
    lines = [
        ("trials", f"{begun} of {most}{f': {standing}' if standing else ''}"),
        ("trained", f"{counted(story.state.fold_epochs, 'fold-epoch')}{_saved(story)}"),
        ("search time", _spent(study, now)),
    ]
    if study.running:
        lines += [("time left", _left(study, now)), ("throughput", throughput(story.state, now))]
    lines.append(("disk", _disk(study)))
    return lines


def _saved(story: Story) -> str:
    share = share_saved(story.state, story.launch.ladder)
    return "" if share is None else f", {share:.0%} less than all folds of all trials"


def _left(study: WatchedStudy, now: float) -> str:
    found = study.seconds_left(now)
    return spell_left(None) if found is None else spell_left(*found)


def _spent(study: WatchedStudy, now: float) -> str:
    state, budget = study.story.state, make_budget(study.story.launch.space)
    spent = spell_duration(state.seconds_spent(now if study.running else None))
    return spent if budget.seconds is None else f"{spent} of {spell_duration(budget.seconds)}"


_sizes: dict[Path, tuple[float, int]] = {}  # of folders, and when they were looked at


def folder_size(path: Path) -> int:
    """Return the bytes of all files below a folder, looked up again after a while."""
    looked, size = _sizes.get(path, (-_SIZE_EVERY, 0))
    if time.monotonic() - looked >= _SIZE_EVERY:
        size = 0
        for folder, _, files in os.walk(path):
            for file in files:
                try:
                    size += os.lstat(os.path.join(folder, file)).st_size  # noqa: PTH118 - many files, and often
                except OSError:
                    continue  # gone since
        _sizes[path] = (time.monotonic(), size)
    return size


def _disk(study: WatchedStudy) -> str:
    budget, taken = study.story.launch.space.search.disk_budget, study.story.state.bytes_dropped
    held = spell_size(folder_size(study.folder.path))
    of = f" of a budget of {spell_size(budget)}" if budget else ""
    free = spell_size(shutil.disk_usage(study.folder.path).free)
    return f"{held}{of}, {free} free{f'; {spell_size(taken)} were dropped' if taken else ''}"
