// Asks once a second what is new, and lays it out. The address says which study; without one, all are compared.

const EVERY = 1000; // milliseconds
const page = document.getElementById("page");
const name = location.pathname.startsWith("/study/") ? decodeURIComponent(location.pathname.slice(7)) : null;
const figures = Object.fromEntries(["ladder", "best", "curves", "studies"].map(id => [id, element("div", {id})]));
let seen = "";

function best(found, verdict) {
  if (!found) return section("Best so far", "", element("p", {class: "faint"}, verdict));
  const knobs = {columns: ["parameter", "value", "the recipe's"], rows: found.knobs};
  return section("Best so far", "",
    element("div", {class: "score", id: "score"}, found.score),
    element("p", {}, `${found.metric} of trial ${found.trial} (${found.origin}) after ${found.after}`),
    element("p", {class: "faint"}, verdict),
    folded("knobs", "its parameters", table(knobs)));
}

function study(said) {
  document.title = `${said.name}: ${said.status}`;
  const parts = [
    element("h1", {}, said.name),
    element("p", {}, element("span", {class: `status ${said.status}`, id: "status"}, said.status), ` (${said.why})`),
    ...said.notes.map(note => element("p", {class: "note"}, note)),
    element("div", {class: "grid"},
      section("Search", "", definitions(said.facts)), best(said.best, said.verdict),
      section("The ladder: who stands where", "wide", figures.ladder,
        element("p", {class: "faint"}, "Numbers are trials; triangles train at this moment. Scores of one rung compare, those of different rungs do not.")),
      section("Best so far, over time", "", figures.best),
      section("Learning curves", "", figures.curves,
        element("p", {class: "faint"}, `Pooled score; at most ${said.curves_shown} trials: who trains, and the first of the leaderboard.`)),
      section("Leaderboard", "wide", table(said.tables.leaderboard)),
      section("Rungs", "wide", table(said.tables.rungs)),
      ...(said.tables.failures.rows.length ? [section("Out", "wide", table(said.tables.failures))] : []),
      section("Decisions", "wide", element("ol", {id: "decisions"},
        ...said.decisions.map(([time, words]) => element("li", {}, element("time", {}, clock(time)), element("span", {}, words))))),
      section("From a terminal", "wide", ...said.commands.flatMap(([what, command]) => [element("div", {class: "faint"}, what), element("code", {}, command)])),
    ),
    element("p", {}, element("a", {href: "/"}, "All studies"),
      ...(said.mirror ? [" · ", element("a", {href: `/optuna/${encodeURIComponent(said.name)}`, target: "_blank"}, "optuna-dashboard (to look at)")] : [])),
  ];
  const scrolled = document.getElementById("decisions")?.scrollTop || 0;
  page.replaceChildren(...parts);
  document.getElementById("decisions").scrollTop = scrolled;
  for (const id of ["ladder", "best", "curves"]) draw(figures[id], said.figures[id]);
}

function overview(said) {
  document.title = "Studies";
  const broken = said.broken.map(([, why]) => element("p", {class: "note"}, why));
  const compared = said.figure ? [section("Who led, over time", "wide", figures.studies)] : [];
  page.replaceChildren(element("h1", {}, "Studies"), element("p", {class: "faint"}, said.results), ...broken,
    element("div", {class: "grid"}, section("All", "wide", table(said.table, study => `/study/${encodeURIComponent(study)}`)), ...compared));
  if (said.figure) draw(figures.studies, said.figure);
}

function cannotBeOpened(said) {
  page.replaceChildren(element("h1", {}, said.name || "Not found"), element("p", {class: "note broken"}, said.broken || said.error),
    element("p", {}, said.rest || ""), element("p", {}, element("a", {href: "/"}, "All studies")));
}

async function ask() {
  const address = name === null ? "/api/studies" : `/api/studies/${encodeURIComponent(name)}?seen=${encodeURIComponent(seen)}`;
  const answer = await fetch(address, {cache: "no-store"});
  const said = await answer.json();
  const text = name === null ? JSON.stringify(said) : said.tag;
  if (text !== undefined && text === seen) return;
  seen = text ?? "";
  if (said.error || said.broken?.length && name !== null) cannotBeOpened(said);
  else if (name === null) overview(said);
  else study(said);
}

async function follow() {
  const connection = document.getElementById("connection");
  try {
    await ask();
    connection.textContent = "";
  } catch (error) {
    connection.textContent = "No answer: the search has ended, or its machine. python -m analysis.page shows the study again.";
    if (!(error instanceof TypeError)) console.error(error);
  }
  setTimeout(follow, EVERY);
}

follow();
