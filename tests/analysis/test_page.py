"""The page of a study, asked without a browser: what it says, whom it answers, and what it makes of damaged studies."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from analysis.page.__main__ import main
from analysis.page.contents.followed import FollowedStudies
from analysis.page.contents.watched import WatchedStudy
from analysis.page.serving.app import page_application
from analysis.page.serving.guard import Application
from analysis.page.serving.optuna_pages import OptunaPages
from analysis.page.serving.sockets import NoPort, listening_socket, port_of
from analysis.reading.opened import open_study
from analysis.reading.pace import throughput
from analysis.reading.words import ordinal, spell_fold_epochs
from launch.beside.page import page_beside
from studies.identity import Identity
from studies.metrics import METRICS
from studies.record.events import (
    ClimbStarted,
    EpochScored,
    Launched,
    Requested,
    RungReached,
    StrategyFacts,
    TrialAdded,
    TrialFailed,
    TrialRestored,
)
from studies.record.record import Record
from studies.record.requests import AddConfigurations
from studies.state.rungs import Rungs
from studies.state.study_state import StudyState
from studies.study import begin_or_continue
from studies.study_folder import StudyFolder
from studies.study_lock import StudyLock
from tests.toys.search import ToyDriver, toy_space

NAME = "나이 <b>'bold' & \"so\""
Answer = tuple[str, dict[str, str], bytes]
LADDER = {"slots": 1, "rungs": Rungs.of(3, 9, [1]), "strategy": StrategyFacts(name="mine", finalists=5)}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with one finished study, made once."""
    results = tmp_path_factory.mktemp("results")
    study_in(results, NAME)
    return results


@pytest.fixture
def results(searched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(searched, tmp_path / "results"))


def study_in(results: Path, name: str, *, search: bool = True, **settings: Any) -> StudyFolder:
    folder = StudyFolder(results / name)
    folder.path.mkdir()
    toy = toy_space(**{"trials": 12, **settings})
    begin_or_continue(folder, Identity(toy, {"classes": ["a", "b"]}, {"digest": "s"}), {})
    if search:
        ToyDriver(folder.record, toy).start().finish()
        for trial in range(toy.search.trials):
            (folder.trials / str(trial)).mkdir(parents=True)
    return folder


def asked(app: Application, path: str, *, method: str = "GET", host: str = "127.0.0.1:8300", query: str = "") -> Answer:
    told: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        told.update(status=status, headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin1"),
        "QUERY_STRING": query,
        "HTTP_HOST": host,
    }
    body = b"".join(app({**environ, "wsgi.input": None, "wsgi.errors": None, "SCRIPT_NAME": ""}, start))
    return told["status"], told["headers"], body


def study(app: Application, name: str, query: str = "") -> dict[str, Any]:
    values: dict[str, Any] = json.loads(asked(app, f"/api/studies/{name}", query=query)[2])
    return values


def test_a_finished_study_is_told_whole(results: Path) -> None:
    said = study(page_application(FollowedStudies(results), 0), NAME)
    assert said["status"] == "finished"
    assert dict(said["facts"])["trials"].startswith("12 of 12: ")
    assert "won" in said["verdict"] or "chosen" in said["verdict"]
    assert len(said["tables"]["leaderboard"]["rows"]) == 12
    assert {"ladder", "best", "curves"} == said["figures"].keys()
    assert sum(len(trace["x"]) for trace in said["figures"]["ladder"]["data"]) == 12, "everybody stands somewhere"
    assert [words for _, words in said["decisions"] if " of " in words and "goes on with fold" in words]
    assert all(command.startswith("python -m ") and quote(NAME) not in command for _, command in said["commands"])


def test_what_was_seen_is_not_said_again_until_an_event_comes(results: Path) -> None:
    app = page_application(FollowedStudies(results), 0)
    tag = study(app, NAME)["tag"]
    assert study(app, NAME, f"seen={quote(tag)}") == {"tag": tag}
    with Record(results / NAME / "record.jsonl") as record:
        record.append(TrialAdded(time=1, trial=12, configuration={"learning_rate": 0.5}, origin="gp"))
    again = study(app, NAME, f"seen={quote(tag)}")
    assert again["decisions"][0][1].startswith("Trial 12 joins (gp): ")


def test_decisions_are_told_by_place_and_by_what_differs_from_the_recipe(results: Path) -> None:
    words = [words for _, words in study(page_application(FollowedStudies(results), 0), NAME)["decisions"]]
    assert any("Trial 0 joins (recipe): the known good configuration." in line for line in words)
    assert any(" has 0." in line and " of " in line for line in words)
    assert any("has trained all 3 folds" in line for line in words)


DAMAGE: dict[str, tuple[Callable[[StudyFolder], object], str, str]] = {
    "half-written": (lambda study: open(study.record, "ab").write(b'{"time":1,"event":"tri'), "finished", ""),
    "a damaged line": (
        lambda study: study.record.write_bytes(b"{broken\n" + study.record.read_bytes()),
        "finished",
        "lines cannot be read (1)",
    ),
    "empty": (lambda study: study.record.unlink(), "empty", "record.jsonl is not there"),
    "a deleted trial folder": (lambda study: shutil.rmtree(study.trials / "3"), "finished", "are gone: 3."),
    "images gone": (
        lambda study: study.data.write_text('{"classes": ["a"], "root": "/nowhere/photos"}'),
        "finished",
        "no longer at /nowhere/photos",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_study_says_so_and_shows_what_there_is(results: Path, name: str) -> None:
    damage, status, note = DAMAGE[name]
    damage(StudyFolder(results / NAME))
    said = study(page_application(FollowedStudies(results), 0), NAME)
    assert said["status"] == status
    assert any(note in line for line in said["notes"]) if note else said["notes"] == []


def test_a_study_of_failed_trials_only_lists_why(results: Path) -> None:
    folder = study_in(results, "failed", search=False)
    with Record(folder.record) as record:
        record.append(Launched(time=0, settings={}))
        record.append(TrialAdded(time=0, trial=0, configuration={"learning_rate": 0.5}, origin="recipe"))
        record.append(TrialFailed(time=0, trial=0, failure="not_finite", reason="the loss is <i>nan</i>"))
    said = study(page_application(FollowedStudies(results), 0), "failed")
    assert "Every trial has failed" in said["notes"][0]
    assert said["tables"]["failures"]["rows"] == [["0", "not_finite", "the loss is <i>nan</i>"]]
    assert said["best"] is None


def test_a_study_that_was_begun_anew_in_its_place_is_read_anew(results: Path) -> None:
    app = page_application(FollowedStudies(results), 0)
    assert len(study(app, NAME)["tables"]["leaderboard"]["rows"]) == 12
    shutil.rmtree(results / NAME)
    study_in(results, NAME, trials=30)
    said = study(app, NAME)
    assert (said["status"], said["notes"]) == ("finished", [])
    assert len(said["tables"]["leaderboard"]["rows"]) == 30


def test_the_last_launch_says_what_the_ladder_is(results: Path) -> None:
    with Record(results / NAME / "record.jsonl") as record:
        record.append(Launched(time=9e9, settings=toy_space().search.model_dump(), **LADDER))
    rungs = [row[0] for row in study(page_application(FollowedStudies(results), 0), NAME)["tables"]["rungs"]["rows"]]
    assert rungs == ["1 epoch", "1 fold", "2 folds", "all 3 folds"]
    assert open_study(results / NAME).facts.strategy.finalists == 5, "commands agree with the page"


def test_a_study_in_lockstep_says_in_one_line_that_it_is_another_versions(results: Path) -> None:
    folder = study_in(results, "lockstep")
    folder.begun.write_text('{"format": 2, "fold_order": "lockstep", "plugins": {}}')
    said = study(page_application(FollowedStudies(results), 0), "lockstep")
    assert "trains its folds in lockstep, which this version cannot; take the version that began it" in said["broken"]


def test_a_leader_that_is_out_no_longer_leads_over_time(results: Path) -> None:
    folder = study_in(results, "led", search=False)
    with Record(folder.record) as record:
        record.append(Launched(time=0, settings={}, **LADDER))
        for trial, score in ((0, 0.5), (1, 0.9)):
            record.append(TrialAdded(time=0, trial=trial, configuration={"learning_rate": score}, origin="gp"))
            moment = {"time": 1 + trial, "elapsed": 1 + trial, "trial": trial}
            record.append(EpochScored(fold=0, epoch=0, score=score, seconds=1, **moment))
            record.append(RungReached(folds=1, epoch=1, score=score, **moment))
        record.append(TrialFailed(time=3, elapsed=3, trial=1, failure="withdrawn", reason="stopped on request"))
    line = study(page_application(FollowedStudies(results), 0), "led")["figures"]["best"]["data"][1]
    assert list(zip(line["x"], line["y"], strict=True))[-4:] == [
        (2 / 60, 0.9),
        (3 / 60, 0.9),
        (3 / 60, 0.5),
        (3 / 60, 0.5),
    ]
    assert line["x"] == sorted(line["x"])
    compared = json.loads(asked(page_application(FollowedStudies(results), 0), "/api/studies")[2])["figure"]["data"]
    assert all(list(one["x"]) == sorted(one["x"]) for one in compared)


def test_nobody_leads_where_the_only_trial_has_failed(results: Path) -> None:
    folder = study_in(results, "gone", search=False)
    with Record(folder.record) as record:
        record.append(Launched(time=0, settings={}, **LADDER))
        record.append(TrialAdded(time=0, trial=0, configuration={"learning_rate": 0.9}, origin="recipe"))
        record.append(EpochScored(time=60, elapsed=60, trial=0, fold=0, epoch=0, score=0.9, seconds=1))
        record.append(RungReached(time=60, elapsed=60, trial=0, folds=1, epoch=1, score=0.9))
        record.append(TrialFailed(time=120, elapsed=120, trial=0, failure="not_finite", reason="nan"))
    said = study(page_application(FollowedStudies(results), 0), "gone")
    assert said["best"] is None
    assert said["figures"]["best"]["data"][1]["y"] == [0.9, 0.9, None, None]
    with Record(folder.record) as record:
        record.append(TrialRestored(time=180, elapsed=180, trial=0))
    taken_back = study(page_application(FollowedStudies(results), 0), "gone")
    assert taken_back["figures"]["best"]["data"][1]["y"] == [0.9, 0.9, None, None, 0.9, 0.9]


def test_what_has_no_score_stands_where_the_worst_does_also_where_less_is_better(results: Path) -> None:
    folder = study_in(results, "loss", search=False, metric="log_loss")
    with Record(folder.record) as record:
        record.append(Launched(time=0, settings={}))
        for trial, score in enumerate((-0.3, -2.0, None)):
            record.append(
                TrialAdded(time=0, trial=trial, configuration={"learning_rate": 0.1 + trial / 10}, origin="gp")
            )
            if score is not None:
                record.append(EpochScored(time=1, trial=trial, fold=0, epoch=0, score=score, seconds=1))
    ladder = study(page_application(FollowedStudies(results), 0), "loss")["figures"]["ladder"]["data"]
    assert sorted(x for trace in ladder for x in trace["x"]) == [0.3, 2.0, 2.0]


def test_a_launch_that_has_not_begun_to_search_spends_no_time_and_forecasts_nothing(results: Path) -> None:
    folder, application = StudyFolder(results / NAME), page_application(FollowedStudies(results), 0)
    before = dict(study(application, NAME)["facts"])["search time"]
    lock = StudyLock(folder.path)
    try:
        said = study(application, NAME)
        assert (said["status"], said["why"]) == ("running", "the search is starting")
        assert (dict(said["facts"])["search time"], "time left" in dict(said["facts"])) == (before, False)
        with Record(folder.record) as record:
            last = record.events[-1].elapsed
            record.append(Launched(time=time.time(), elapsed=last, launch=lock.launch, settings={"trials": 30}))
        facts = dict(study(application, NAME)["facts"])
        assert "time left" in facts
        assert facts["search time"].split()[0] == before.split()[0], "the pause does not count"
    finally:
        lock.release()


def test_throughput_is_of_this_launch(tmp_path: Path) -> None:
    state = StudyState([Launched(time=0, settings={}), TrialAdded(time=0, trial=0, configuration={}, origin="gp")])
    for epoch in range(60):
        elapsed = 10 * epoch
        state.apply(EpochScored(time=0, elapsed=elapsed, trial=0, fold=0, epoch=epoch, score=0.5, seconds=10))
    state.apply(Launched(time=0, elapsed=600, settings={}))
    for epoch in range(6):
        elapsed = 610 + 10 * epoch
        state.apply(EpochScored(time=0, elapsed=elapsed, trial=0, fold=1, epoch=epoch, score=0.5, seconds=10))
    assert throughput(state, 660).endswith("6.0 fold-epochs a minute")


def test_what_was_seen_of_all_studies_is_not_said_again_and_one_study_waits_for_no_other(results: Path) -> None:
    studies = FollowedStudies(results)
    tag = studies.overview()["tag"]
    assert studies.overview(tag) == {"tag": tag}
    study_in(results, "another", trials=2)
    with studies._of(studies.folder(NAME))._asking:  # somebody else's long question
        answers: list[dict[str, Any]] = []
        asking = threading.Thread(target=lambda: answers.append(studies.study("another")), daemon=True)
        asking.start()
        asking.join(timeout=20)
        assert answers[0]["status"] == "finished"
    assert studies.overview(tag)["tag"] != tag


def test_a_title_with_markup_is_escaped_once(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titled = replace(METRICS["macro_f1"], title="F<sub>1</sub>")
    monkeypatch.setattr("analysis.figures.learning_curves.shown_metric", lambda name, state: titled)
    said = study(page_application(FollowedStudies(results), 0), NAME)
    assert said["figures"]["curves"]["layout"]["yaxis"]["title"]["text"] == "F&lt;sub&gt;1&lt;/sub&gt;"


def test_optuna_pages_follow_a_mirror_that_is_written_anew_in_the_same_inode(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    pages = OptunaPages(8400)

    def names(address: str) -> list[str]:
        root = address.partition("/dashboard")[0]
        return [one["study_name"] for one in json.load(urlopen(f"{root}/api/studies", timeout=10))["study_summaries"]]

    addresses: list[str] = []
    for name in ("first", "second"):
        other = tmp_path / f"{name}.journal"
        optuna.create_study(study_name=name, storage=JournalStorage(JournalFileBackend(str(other))))
        with open(folder.mirror, "wb") as file:
            file.write(other.read_bytes())
        addresses.append(pages.address(folder) if name == "first" else addresses[0])
        assert names(addresses[-1]) == [name]


def test_configurations_that_were_asked_for_have_room_in_the_budget(results: Path) -> None:
    asked_for = AddConfigurations(configurations=({"learning_rate": 0.1}, {"learning_rate": 0.2}))
    with Record(results / NAME / "record.jsonl") as record:
        record.append(Requested(time=9e9, name="1.json", request=asked_for))
    said = study(page_application(FollowedStudies(results), 0), NAME)
    assert dict(said["facts"])["trials"].startswith("12 of 14")


def test_one_study_that_breaks_the_reader_leaves_the_others(results: Path) -> None:
    study_in(results, "broken", search=False).record.mkdir()
    app = page_application(FollowedStudies(results), 0)
    assert study(app, "broken")["broken"].endswith("record.jsonl: is no regular file; put the right file there")
    said = json.loads(asked(app, "/api/studies")[2])
    assert ([row[0] for row in said["table"]["rows"]], said["broken"][0][0]) == ([NAME], "broken")


def test_a_study_of_another_version_says_so_with_what_its_record_tells(results: Path) -> None:
    folder = StudyFolder(results / NAME)
    folder.begun.write_text('{"format": 1, "fold_order": "sequential", "plugins": {}}')
    app = page_application(FollowedStudies(results), 0)
    said = study(app, NAME)
    assert "is of format 1" in said["broken"]
    assert "tells of 12 trials" in said["rest"]
    overview = json.loads(asked(app, "/api/studies")[2])
    assert overview["broken"][0][0] == NAME


def test_a_killed_search_is_stopped_and_nobody_climbs(results: Path) -> None:
    folder = study_in(results, "killed", search=False)
    with Record(folder.record) as record:
        record.append(Launched(time=0, settings={}))
        record.append(TrialAdded(time=0, trial=0, configuration={"learning_rate": 0.5}, origin="recipe"))
        record.append(ClimbStarted(time=0, trial=0, fold=0, epoch=9, attempt=1))
        record.append(EpochScored(time=1, trial=0, fold=0, epoch=0, score=0.5, seconds=1))
    said = study(page_application(FollowedStudies(results), 0), "killed")
    assert (said["status"], dict(said["facts"])["trials"]) == ("stopped", "1 of 12: 1 resting")
    lock = folder.lock()
    assert study(page_application(FollowedStudies(results), 0), "killed")["status"] == "running"
    lock.release()


def test_the_overview_compares_studies_and_leaves_other_folders_out(results: Path) -> None:
    study_in(results, "other")
    (results / "notes").mkdir()
    said = json.loads(asked(page_application(FollowedStudies(results), 0), "/api/studies")[2])
    assert [row[0] for row in said["table"]["rows"]] == ["other", NAME]
    assert len(said["figure"]["data"]) == 2
    assert "&lt;b&gt;" in said["figure"]["data"][1]["name"], "plotly takes tags for markup"


def test_only_reading_from_this_machine_is_answered(results: Path) -> None:
    app = page_application(FollowedStudies(results), 0)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert asked(app, "/api/studies", method=method)[0].startswith("405")
    assert asked(app, "/", host="evil.example:8300")[0].startswith("403")
    status, headers, _ = asked(app, "/")
    assert status.startswith("200")
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert asked(app, "/static/../contents/view.py")[0].startswith(("403", "404"))
    for name in ("..", ".hidden", "nobody"):
        assert asked(app, f"/api/studies/{name}")[0].startswith("404")
    assert asked(app, f"/optuna/{NAME}")[0].startswith("404"), "there is no mirror"


def test_a_taken_port_gives_the_next_one() -> None:
    with listening_socket(0) as first, listening_socket(port_of(first)) as second:
        assert port_of(second) > port_of(first)
    with listening_socket(65535), pytest.raises(NoPort, match="--port 65535"):
        listening_socket(65535)


def seconds_until_shown(address: str, file: Path, trial: int) -> float:
    """Record a trial, and return after how many seconds the page tells of it."""
    tag = json.load(urlopen(address, timeout=60))["tag"]
    with Record(file) as record:
        record.append(TrialAdded(time=1, trial=trial, configuration={"learning_rate": 0.5}, origin="gp"))
    recorded = time.monotonic()
    while "decisions" not in (new := json.load(urlopen(f"{address}?seen={quote(tag)}", timeout=30))):
        time.sleep(0.1)
    assert new["decisions"][0][1].startswith(f"Trial {trial} joins")
    return time.monotonic() - recorded


def test_the_page_of_a_launch_shows_an_event_within_two_seconds_and_ends_with_it(results: Path) -> None:
    said: list[str] = []
    with page_beside([StudyFolder(results / NAME)], None, said.append):
        assert said == []
    with listening_socket(0) as taken, page_beside([StudyFolder(results / NAME)], port_of(taken), said.append):
        assert f"(port {port_of(taken)} is taken)" in said[0]
        address = said[0].split()[2].replace("/study/", "/api/studies/")
        took = [seconds_until_shown(address, results / NAME / "record.jsonl", trial) for trial in (12, 13, 14)]
        assert min(took) < 1, "a second is the browser's, which asks once in it"
    assert len(said) == 1, "it had not ended before"
    with pytest.raises(OSError, match="refused"):
        urlopen(address, timeout=10)


@pytest.mark.parametrize(("place", "why"), [("nowhere", "is no folder"), ("empty", "holds no study")])
def test_a_place_without_studies_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, why: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr("sys.argv", ["page", str(tmp_path / place)])
    assert main() == 2
    assert why in capsys.readouterr().out


def test_fold_epochs_and_places_are_spelled() -> None:
    rungs = Rungs.of(3, 9)
    assert [spell_fold_epochs(number, rungs) for number in (1, 3, 9, 18, 27, 13)] == [
        "1 epoch",
        "3 epochs",
        "1 fold",
        "2 folds",
        "all 3 folds",
        "1 fold and 4 epochs",
    ]
    assert [ordinal(place) for place in (1, 3, 11, 12, 21, 22, 113)] == [
        "first",
        "third",
        "11th",
        "12th",
        "21st",
        "22nd",
        "113th",
    ]


def test_another_record_in_its_place_is_read_from_its_beginning(results: Path) -> None:
    watched = WatchedStudy(StudyFolder(results / NAME))
    watched.refresh()
    before = watched.tag
    watched.folder.record.write_bytes(watched.folder.record.read_bytes()[:400].rpartition(b"\n")[0] + b"\n")
    watched.refresh()
    assert watched.tag != before
    assert len(watched.history.state.trials) <= 1
