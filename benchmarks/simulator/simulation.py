"""One simulated study: launches of it, one after the other, until one ends as planned, checked after every step."""

import random
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from benchmarks.simulator.disk import SimulatedFolders
from benchmarks.simulator.faults import DriverKilled, Faults, FaultyRecord
from benchmarks.simulator.invariants import Broken, Invariants
from benchmarks.simulator.process import SimulatedProcess, Step
from benchmarks.simulator.settings import Settings
from schedulers.study_run import StudyRun
from studies.record.requests import ChangeBudget, Request, StopSearch, StopTrial

MOST_STEPS, MOST_LAUNCHES = 5_000, 60


class Simulation:
    """A study on slots whose processes are simulated, of a seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.settings = Settings.of(seed)
        self.faults = Faults(seed, self.settings.faults)
        self.folder = folder
        self.now = 0.0
        self._random = random.Random(seed + 1)
        self._disk = SimulatedFolders(self.settings.epochs)
        self._slots: list[SimulatedProcess | None] = []
        self._left_over: list[SimulatedProcess] = []  # by drivers that were killed
        self._asked: list[tuple[str, Request]] = []
        self._requests = 0
        self.launches = self.steps = 0
        self.invariants = Invariants(self.settings, self._disk)

    def run(self) -> "Simulation":
        """Launch the study until it ends as planned.

        Raises:
            Broken: an invariant does not hold.
        """
        with patch("storage.outage._FIRST", 0.0), patch("storage.outage._LONGEST", 0.0):
            while not self._launch():
                if self.launches == MOST_LAUNCHES:
                    raise Broken(f"no end after {self.launches} launches")
        return self

    def _launch(self) -> bool:
        """Launch the study once; tell whether it ended as planned."""
        self.launches += 1
        self._slots = [None] * self.settings.slots
        with FaultyRecord(self.folder / "record.jsonl", self.faults) as record:
            run = StudyRun(
                record, self.settings.space, self.settings.slots, requests=self._take_requests, clock=lambda: self.now
            )
            try:
                run.start({}, self._disk, launch=str(self.launches))
                self.invariants.check_start(run)
                self._write_on()
                self._search(run)
                run.close()
            except (DriverKilled, OSError):  # the storage is out, and whoever was asked to stop does not wait for it
                self._left_over += [process for process in self._slots if process is not None]
                return False
            self.invariants.check_end(run, self.faults, self.now)
            return run.finished is not None and not run.stopping

    def _search(self, run: StudyRun) -> None:
        while True:
            self._fill(run)
            busy = [number for number, process in enumerate(self._slots) if process is not None]
            if not busy:
                if run.finished is None:
                    raise Broken("nothing runs, and nothing is finished")
                return
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise Broken(f"no end after {self.steps} steps")
            self._disturb(run)
            self._step(run, busy)

    def _fill(self, run: StudyRun) -> None:
        """Give every free slot a climb."""
        for number, process in enumerate(self._slots):
            if process is None and (order := run.next_climb()) is not None:
                self.invariants.check_order(order, [one.order for one in self._slots if one is not None])
                self._slots[number] = SimulatedProcess(order, self._disk, self._random)

    def _step(self, run: StudyRun, busy: list[int]) -> None:
        """Do the step that ends first."""
        number = min(busy, key=lambda number: self._running(number).seconds)
        process = self._running(number)
        passed = process.seconds
        self.now += passed
        for other in busy:
            self._running(other).seconds -= passed
        self._report(run, number, process, process.step(self.faults))
        self.invariants.check(run)

    def _running(self, number: int) -> SimulatedProcess:
        process = self._slots[number]
        assert process is not None, "it is busy"
        return process

    def _report(self, run: StudyRun, number: int, process: SimulatedProcess, step: Step) -> None:
        """Tell the driver what came of a step, as Tune does: asked first whether the climb ends, told the result then."""
        order, ends = process.order, step.failure is not None
        if step.result is not None:
            trained = int(step.result.get("epochs", run.state.trials[order.trial].epochs_of(order.fold)))
            ends = run.ends_here(order, trained) or bool(step.result["done"])
            run.take_epoch(order, step.result)
        if ends:
            self.invariants.note_failure(order, step.failure)
            self._slots[number] = None
            run.end_climb(order, step.failure)

    def _disturb(self, run: StudyRun) -> None:
        """Have what is left over write on, and somebody ask for something."""
        self._write_on()
        if self.faults.strike("asked", 0.003):
            self._requests += 1
            trials = list(run.state.trials)
            kinds: list[Request] = [StopSearch(), ChangeBudget(settings={"trials": len(trials) + 3})]
            if trials:
                kinds.append(StopTrial(trial=self._random.choice(trials)))
            self._asked.append((f"request {self._requests}", self._random.choice(kinds)))

    def _write_on(self) -> None:
        """Have processes of killed drivers train another epoch, if nobody else has their folds."""
        for process in list(self._left_over):
            if self._random.random() < 0.3:
                step = process.step(Faults(0, 0))
                if step.failure is not None or step.result is None or step.result["done"]:
                    self._left_over.remove(process)

    def _take_requests(self) -> Iterator[tuple[str, Request]]:
        asked, self._asked = self._asked, []
        for name, request in asked:
            self.invariants.note_request(request)
            yield name, request
