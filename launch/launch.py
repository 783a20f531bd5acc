"""One launch: everything that is settled before Ray starts, and the study that it belongs to."""

import argparse
import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from analysis.tracking.tracker import check_installed
from datasets.preparation import PreparedData
from launch.continuing import with_looks
from launch.fit.corners import corners
from launch.fit.data import check_fits_data
from launch.fit.epochs import check_fits_epochs
from launch.fit.sizes import sized
from launch.hardware import Share, check_gpu_share, local_gpus
from launch.initial_configurations import (
    Beginning,
    enqueued,
    from_portfolio,
    named_portfolio,
    read_list,
    warm_source,
    warm_start,
)
from launch.listeners import check_listeners
from launch.options import overrides
from launch.per_study import check_holdouts, named, study_options
from launch.resolve import (
    Say,
    brought_up_to_date,
    describe_splits,
    prepare_data,
    resolve_space,
)
from plugins.loading import load_plugins
from plugins.sources import Plugin, copy_source
from plugins.trust import trust
from schedulers.budget_settings import make_budget
from schedulers.requests import leave_out_stops
from schedulers.samplers.registry import check_sampler
from schedulers.search_settings import make_strategy
from search_spaces import SearchSpace
from search_spaces.reading import find_space, plugin_names
from storage.free_space import check_free_space
from studies.environment import environment
from studies.errors import StudyError
from studies.identity import Identity
from studies.state.study_state import StudyState
from studies.study import Study, begin_or_continue
from studies.study_folder import StudyFolder
from trainables.config import TrainConfig, configured
from trainables.preflight.process import Preflight
from trainables.training.images.fold_data import DECODED


@dataclass(frozen=True)
class Launch:
    """A space with its data, the study's folder, what is tried first, and the preflight that runs beside."""

    options: argparse.Namespace
    folder: StudyFolder
    study: Study | None  # that the launch goes on with
    space: SearchSpace
    data: PreparedData
    known: Beginning
    preflight: Preflight
    plugins: tuple[Plugin, ...] = ()
    corners: tuple[TrainConfig, ...] = ()  # of the space

    @property
    def identity(self) -> Identity:
        splits = {**self.data.splits.model_dump(mode="json"), "digest": self.data.splits.digest}
        digests = {plugin.name: plugin.digest for plugin in self.plugins}
        return Identity(self.space, self.data.facts(), splits, digests)

    @contextmanager
    def locked(self) -> Iterator[str]:
        """Hold the study's lock, and yield the launch's id; refuse a disk without room, and another study under this name."""
        lock = self.folder.lock()
        try:
            check_free_space(self.folder.path)
            if self.study is None and self.folder.exists():
                raise StudyError(
                    f"{self.folder.path}: another launch began it meanwhile; the same command goes on with it"
                )
            if self.study is not None:
                self.study.refuse_another(self.identity, brought_up_to_date(self.study.space))
            leave_out_stops(self.folder.requests)
            yield lock.launch
        finally:
            lock.release()

    def begin(self) -> list[str]:
        """Wait for the preflight, then write what identifies the study and follows from its data and machine; return notes."""
        notes = self.preflight.check()
        for plugin in self.plugins:
            trust(plugin)
        for plugin in self.plugins:  # of a study that goes on it is the same source: it may have been lost
            copy_source(plugin, self.folder.plugins)
        files = {
            self.folder.samples.name: self.data.samples().to_csv(index=False),
            self.folder.holdout.name: self.data.holdout().to_csv(index=False),
            DECODED: json.dumps(self.data.decoded),
            self.folder.environment.name: json.dumps(environment(), indent=1),
        }
        if self.known.kept is not None and self._keeps_its_portfolio():
            files[self.folder.portfolio.name] = self.known.kept.spelled()
        begin_or_continue(self.folder, self.identity, files)
        return notes

    def _keeps_its_portfolio(self) -> bool:
        """Tell whether the portfolio of this launch is the study's own, of which it has no copy yet."""
        if self.study is None:
            return True
        same = self.study.space.search.portfolio == self.space.search.portfolio
        return same and not self.folder.portfolio.is_file()

    def setup(self, share: Share) -> str:
        """Return a hash of what all trials of this launch share: if every one of them fails, it is to blame."""
        shared = {
            "environment": environment(),
            "constants": self.space.constants,
            "data": self.data.facts(),
            "trial": [share.cpus, share.gpus, self.options.compile, self.options.cudnn_benchmark],
        }
        return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def prepared_launches(options: argparse.Namespace, console: Console, say: Say) -> Iterator[list[Launch]]:
    """Resolve every space that the options name, and prepare its data.

    Raises:
        SpaceError: two of them cannot be searched in one launch, or could not vote together.
    """
    each = study_options(options)
    with ExitStack() as stack:
        launches = [
            stack.enter_context(prepared_launch(one, console, say if len(each) == 1 else named(say, one.study)))
            for one in each
        ]
        check_holdouts({launch.folder.name: launch.data for launch in launches})
        yield launches


@contextmanager
def prepared_launch(options: argparse.Namespace, console: Console, say: Say) -> Iterator[Launch]:
    """Resolve the space and prepare the data, a preflight of its backbones and optimizers beside."""
    check_gpu_share(options)
    folder = StudyFolder.named(Path(options.results), options.study)
    study = Study.open(folder)
    plugins = load_plugins(plugin_names(options.space, overrides(options)), find_space(options.space).parent)
    for tool in options.log:  # perhaps of a plugin
        check_installed(tool)
    space = resolve_space(options, study, say)
    check_sampler(space)
    check_listeners(space)
    make_strategy(space)  # refuses an unknown strategy before anything is prepared
    make_budget(space)  # and a target that the metric cannot reach
    check_beginning(options, space, study)
    preflight = Preflight(
        [configured(one) for one in corners(space)],
        steps=8 if options.dry_run else 0,
        compile=options.compile is not None,
        plugins=[plugin.path for plugin in plugins],
        gpu=options.address is None and local_gpus() > 0,
        precision=None if study is None else StudyState.lenient(study.events()).precision,
    )
    try:
        data = prepare_data(space, console, skip_unreadable=options.skip_unreadable)
        preflight.go_on(len(data.classes))
        space, sizes = sized(space, data)
        make_budget(space)  # the budget must have room for that many epochs
        for note in (*data.table.notes, describe_splits(data), *sizes):
            say(note)
        check_fits_data(space, data)
        check_fits_epochs(space)
        known = beginning(options, space, data, study)
        if study is None:
            space = with_looks(space, informed=known.informed)
        for note in known.notes:
            say(note)
        measured = tuple(configured(one) for one in corners(space))  # by now with the sizes that follow from the data
        yield Launch(options, folder, study, space, data, known, preflight, plugins, measured)
    finally:
        preflight.end()


def check_beginning(options: argparse.Namespace, space: SearchSpace, study: Study | None) -> None:
    """Refuse a portfolio, a list of the user's or another study that cannot be read, before anything is prepared."""
    named_portfolio(space, find_space(options.space).parent, study)
    if options.enqueue:
        read_list(Path(options.enqueue))
    if options.warm_start:
        warm_source(StudyFolder.named(Path(options.results), options.warm_start, "--warm-start"))


def beginning(options: argparse.Namespace, space: SearchSpace, data: PreparedData, study: Study | None) -> Beginning:
    """Return what is tried before the sampler is asked: the user's own, another study's best, then a portfolio."""
    known = from_portfolio(space, find_space(options.space).parent, study)
    if options.warm_start:
        other = StudyFolder.named(Path(options.results), options.warm_start, "--warm-start")
        known = warm_start(other, space, list(data.classes)).before(known)
    own = tuple(enqueued(Path(options.enqueue), space)) if options.enqueue else ()
    return Beginning(own).before(known)
