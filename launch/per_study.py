"""From one command line to the options of each study that it searches, one a space, and whether they may vote together."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from datasets.preparation import PreparedData
from plugins.names import name_hint
from search_spaces.errors import SpaceError
from search_spaces.reading import find_space, plugin_names

_TO_VOTE_TOGETHER = frozenset({"mask", "gender", "age"})  # of whose classes an export makes the joint ones


def study_options(options: argparse.Namespace) -> list[argparse.Namespace]:
    """Return the options of each study: `--set` and `--study` may say by a space's name and a colon which they are for.

    Raises:
        SpaceError: two spaces have one name, or an option is for a space that is not there.
    """
    names = [find_space(space).stem for space in options.space]
    for name in names:
        if names.count(name) > 1:
            raise SpaceError("--space", name, "two spaces have this name, and each names its study; rename one file")
    named = _by_space(options.study, names, "--study")
    if len(names) > 1 and (loose := named.get(None)):
        raise SpaceError("--study", loose[-1], f"say of which space it is the study, such as {names[0]}:{loose[-1]}")
    studies = [(named.get(name) or named.get(None) or [name])[-1] for name in names]
    for study in studies:
        if studies.count(study) > 1:
            raise SpaceError("--study", study, "two spaces would write into this study; name another for one of them")
    settings = _by_space(options.set, names, "--set")
    of_each = [
        argparse.Namespace(
            **{
                **vars(options),
                "space": space,
                "study": study,
                "set": [*settings.get(None, []), *settings.get(name, [])],
            }
        )
        for space, name, study in zip(options.space, names, studies, strict=True)
    ]
    _check_plugins(of_each)
    return of_each


def _check_plugins(of_each: Sequence[argparse.Namespace]) -> None:
    """Refuse spaces with different plugins: one process has the knobs of all that it has loaded."""
    named = {one.study: sorted(plugin_names(one.space, one.set)) for one in of_each}
    for study, plugins in named.items():
        if plugins != named[of_each[0].study]:
            raise SpaceError(
                f"{of_each[0].study} and {study}",
                "plugins",
                "are not the same, and a process has the knobs of all that it has loaded; search them in two launches",
            )


def named(say: Callable[[str], None], study: str) -> Callable[[str], None]:
    """Return what says lines of one study among several."""
    return lambda *lines: say(*(f"{study}: {line}" for line in lines))


def _by_space(values: Sequence[str], names: Sequence[str], option: str) -> Mapping[str | None, list[str]]:
    """Return what was given to an option by the space that it is for; None: for all of them."""
    found: dict[str | None, list[str]] = {}
    for value in values:
        before, separator, rest = value.partition(":")
        if not value or (separator and not rest):
            raise SpaceError(option, repr(value), "is empty; give a value, or leave the option out")
        if not separator or "=" in before:
            found.setdefault(None, []).append(value)
        elif before in names:
            found.setdefault(before, []).append(rest)
        else:
            raise SpaceError(option, value, f"there is no space {before!r} in this command; {name_hint(before, names)}")
    return found


def check_holdouts(prepared: Mapping[str, PreparedData]) -> None:
    """Check that studies whose tasks an export joins have set the same persons aside; `prepared` is their data, by study.

    Raises:
        SpaceError: two of them have not; names both and the way out.
    """
    for (one, ours), (other, theirs) in combinations(prepared.items(), 2):
        together = ours.task == theirs.task or {ours.task, theirs.task} <= _TO_VOTE_TOGETHER
        if together and ours.splits.digest != theirs.splits.digest:
            raise SpaceError(
                f"{one} and {other}",
                "data",
                "other persons are in their folds and holdouts, so they cannot vote together; give both the same data"
                " section and search.folds, or search them in two launches",
            )
