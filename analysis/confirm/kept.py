"""What a confirmation has trained, kept in a file of the study: it can be stopped and started again."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from analysis.confirm.contest import Contest
from analysis.confirm.training import Again, Job
from command_line.console import say
from storage.json_text import load_json
from studies.study_folder import StudyFolder
from trainables.config import configured

Kept = dict[tuple[str, int], Again]  # by name of the configuration and number of the repeat


def read_kept(folder: StudyFolder, contest: Contest) -> Kept:
    """Return what an earlier run has trained; a torn last line is trained again."""
    return dict(_kept(folder, contest))


def keep(folder: StudyFolder, job: Job, again: Again) -> None:
    """Add what a job scored."""
    row = {**asdict(again), "digest": configured(job.configuration).digest}
    with open(_file(folder), "a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(row))  # a line of its own also after one that was torn


def _kept(folder: StudyFolder, contest: Contest) -> Iterator[tuple[tuple[str, int], Again]]:
    digests = {name: configured(one).digest for name, one in contest.configurations.items()}
    for number, line in enumerate(_lines(folder), 1):
        try:
            row = load_json(line)
            again = Again(row["name"], row["repeat"], row["score"], tuple(row["fold_scores"]))
            digest = row["digest"]
        except (ValueError, KeyError, TypeError):
            say(f"{_file(folder)}: line {number} is damaged and trained again", style="yellow")
            continue
        for name in (name for name, own in digests.items() if own == digest):
            yield (name, again.repeat), Again(name, again.repeat, again.score, again.fold_scores)


def _lines(folder: StudyFolder) -> Sequence[str]:
    file = _file(folder)
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line] if file.exists() else ()


def _file(folder: StudyFolder) -> Path:
    return folder.path / "confirm.jsonl"
