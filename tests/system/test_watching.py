"""A search that is looked at while it runs: its page in a browser, Ray's dashboard, Prometheus, requests from a terminal."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from analysis.page.serving.sockets import listening_socket, port_of
from schedulers.ray.session_folder import session_folder
from studies.record.events import Requested
from studies.record.record import read_record
from studies.state.study_state import StudyState
from tests.toys import ROOT
from tests.toys.browser import chromium, window
from tests.toys.commands import SPACE, start

pytestmark = pytest.mark.slow
LONGER = SPACE.replace("epochs: 3", "epochs: 12").replace("people: 20", "people: 60")
STUDY = "나이 <i>&"
FOR_GPUS = ("gpu", "gram")
SECTIONS = "[...document.querySelectorAll('section')]"
LEADERBOARD = f"{SECTIONS}.find(one => one.innerText.startsWith('Leaderboard')).querySelector('.scroll')"


@dataclass
class Search:
    """A search that runs."""

    place: Path
    process: subprocess.Popen[str]
    said: str

    def address(self, name: str) -> str:
        found = re.search(rf"{name}: (http://\S+)", self.said)
        assert found, self.said
        return found[1]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """A search of many trials, begun once for all tests of this file, and stopped by a request in the last one."""
    place = tmp_path_factory.mktemp("watched")
    (place / "toy.yaml").write_text(LONGER)
    named = ["--space", "toy.yaml", "--study", STUDY, "--trials", "4000", "--log", "tensorboard"]
    with listening_socket(0) as taken:
        process = start(place, "launch_search.py", *named, "--page-port", str(port_of(taken)))
        said = ""
        assert process.stdout is not None
        while "Ray dashboard: " not in said:
            said += (line := process.stdout.readline())
            assert line, said
    try:
        yield Search(place, process, said)
    finally:
        if process.poll() is None:
            process.kill()
        process.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def test_the_page_shows_trials_as_they_come_without_a_reload(search: Search, browser: Browser) -> None:
    assert "is taken)" in search.said
    shown = window(browser, search.address("Study page"))
    expect(shown.page.locator("h1")).to_have_text(STUDY)
    expect(shown.page.locator("#status")).to_have_text("running", timeout=150_000)
    expect(shown.page.locator("#score")).to_be_visible(timeout=150_000)
    points = "document.querySelector('#best').data[0].x.length"
    before, first = shown.page.evaluate(points), shown.page.locator("#score").inner_text()
    until(lambda: shown.page.evaluate(points) >= before + 5)
    until(lambda: shown.page.locator("#score").inner_text() != first)
    assert shown.page.locator("#ladder .main-svg").count() > 0
    assert shown.page.locator("#decisions li").count() > 5
    assert shown.errors == []
    assert "http" not in "".join(re.findall(r"https?://(?!127\.0\.0\.1|www\.w3\.org/)\S+", shown.page.content()))


def test_an_event_of_the_record_is_on_the_page_within_seconds(search: Search, browser: Browser) -> None:
    shown = window(browser, search.address("Study page"))
    expect(shown.page.locator("#decisions li").first).to_be_visible(timeout=150_000)
    assert "Asked: try 1 configuration" in ask(search, "add", added(search))
    shown.page.locator("#decisions", has_text="Asked from another terminal: try 1 configuration").wait_for(
        timeout=150_000
    )
    seen = time.time()
    record = read_record(search.place / "results" / STUDY / "record.jsonl")
    (recorded,) = [event.time for event in record if isinstance(event, Requested)]
    assert seen - recorded < 10, (
        "of two seconds (see tests/analysis/test_page.py); trials and browser share two cores here"
    )


def test_the_page_fits_a_phone(search: Search, browser: Browser) -> None:
    shown = window(browser, search.address("Study page"), width=390, height=844)
    expect(shown.page.locator("#score")).to_be_visible(timeout=150_000)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown.page.evaluate(f"{LEADERBOARD}.scrollLeft = 60") == 60
    decisions = shown.page.locator("#decisions li").count()
    until(lambda: shown.page.locator("#decisions li").count() > decisions)
    assert shown.page.evaluate(f"{LEADERBOARD}.scrollLeft") == 60, "an event must not throw a reader back"
    assert shown.errors == []


def test_a_page_that_cannot_be_drawn_says_so_and_so_does_the_console(search: Search, browser: Browser) -> None:
    shown = window(browser, search.address("Study page"))
    expect(shown.page.locator("#score")).to_be_visible(timeout=150_000)
    shown.page.route("**/api/studies/**", lambda route: route.fulfill(json={"tag": "x", "notes": None}))
    expect(shown.page.locator("#connection")).to_contain_text("could not be drawn", timeout=30_000)
    assert shown.errors
    shown.page.unroute("**/api/studies/**")
    expect(shown.page.locator("#connection")).to_have_text("", timeout=30_000)


def test_optuna_dashboard_is_one_click_away_and_changes_nothing(search: Search, browser: Browser) -> None:
    shown = window(browser, search.address("Study page"))
    link = shown.page.locator("a", has_text="optuna-dashboard")
    link.wait_for(timeout=150_000)
    with shown.page.context.expect_page() as opened:
        link.click()
    dashboard = opened.value
    dashboard.wait_for_load_state()
    assert "/dashboard/studies/" in dashboard.url
    dashboard.locator("text=toy").first.wait_for(timeout=150_000)
    root = dashboard.url.partition("/dashboard")[0]
    with pytest.raises(HTTPError, match="405"):
        urlopen(Request(f"{root}/api/studies/0", method="DELETE"), timeout=30)


def test_one_click_opens_rays_dashboard_where_trials_are_found_and_the_link_works_once(
    search: Search, browser: Browser
) -> None:
    kept = session_folder() / f"dashboard_{search.process.pid}"
    assert f"stays out of logs; to see it: cat {kept}" in search.said
    link = kept.read_text().strip()
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"{link[:-4]}xxxx", timeout=30)
    shown = window(browser, link)
    (cookie,) = shown.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["domain"]) == (True, "Strict", "127.0.0.1")
    root = shown.page.url.partition("#")[0]
    shown.page.goto(f"{root}#/cluster")
    title = f"{re.escape(STUDY)} \\(mask\\) trial \\d+ fold \\d epoch \\d+.* learning_rate="
    until(lambda: re.search(title, shown.page.inner_text("body")) is not None)
    shown.page.goto(f"{root}#/jobs")
    shown.page.locator(f"text={STUDY}").first.wait_for(timeout=150_000)
    shown.page.goto(link)
    assert shown.page.url.startswith(root), "the same browser may use it again"
    with pytest.raises(HTTPError, match="403"):
        urlopen(link, timeout=30)


def test_prometheus_scrapes_the_search_and_every_query_of_the_grafana_file_has_data(
    search: Search, tmp_path: Path
) -> None:
    command = which("prometheus")
    assert command, "the test of the metrics needs Debian's prometheus; .ci/run installs it"
    with listening_socket(0) as found:
        port = port_of(found)
    place = f"http://127.0.0.1:{port}"
    config = tmp_path / "prometheus.yml"
    config.write_text(
        (ROOT / "deploy/prometheus.yml").read_text().replace("/tmp/foldrace-1000/prom", f"{session(search)}/prom")
    )
    flags = [f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([command, *flags, f"--storage.tsdb.path={tmp_path}/data"], **quiet)  # type: ignore[call-overload]
    try:
        wanted, deadline = list(queries()), time.monotonic() + 180
        while (lacking := [query for query in wanted if not answered(place, query)]) and time.monotonic() < deadline:
            time.sleep(2)
        assert lacking == []
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_a_request_ends_the_search_and_its_page_with_it(search: Search) -> None:
    assert "takes it up within an epoch" in ask(search, "stop")
    out, _ = search.process.communicate(timeout=120)
    assert "Stopped. To continue: " in out
    assert "page has ended" not in out
    assert "Sending the rest to tensorboard" in out
    study = search.place / "results" / STUDY
    trials = StudyState(read_record(study / "record.jsonl")).trials.values()
    sent = {place.name for place in (study / "tensorboard").iterdir()}
    assert sent == {f"trial_{trial.number:04d}" for trial in trials if trial.epochs}
    with pytest.raises(OSError, match="refused"):
        urlopen(search.address("Study page"), timeout=10)


def session(search: Search) -> Path:
    """Return the folder of the search's Ray: the link that the configuration names is of whichever began last."""
    (found,) = session_folder().glob(f"session_*_{search.process.pid}")
    return found


def ask(search: Search, *arguments: str) -> str:
    command = [sys.executable, "-m", "launch.control", str(search.place / "results" / STUDY), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout


def until(holds: Callable[[], bool], within: float = 240) -> None:
    """Wait until something holds; the page's policy lets no script of ours wait in it."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def added(search: Search) -> str:
    file = search.place / "mine.yaml"
    file.write_text("- {learning_rate: 3.0e-3}\n")
    return str(file)


def queries() -> Iterator[str]:
    """Yield the queries of the Grafana file, those of GPUs aside."""
    panels = json.loads((ROOT / "deploy/grafana/foldrace.json").read_text())["panels"]
    for panel in panels:
        for target in panel["targets"]:
            if not any(word in target["expr"].lower() for word in FOR_GPUS):
                yield target["expr"].replace("$study", quote(STUDY, safe=" "))


def answered(place: str, query: str) -> bool:
    try:
        with urlopen(f"{place}/api/v1/query?query={quote(query)}", timeout=10) as answer:
            said: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        raise AssertionError(f"{query}: {error.read().decode()}") from None
    except OSError:
        return False  # it is not up yet
    return bool(said["data"]["result"])
