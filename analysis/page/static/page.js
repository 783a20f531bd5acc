// Asks once a second what is new, and lays it out. The address says which study; without one, all are compared.

const EVERY = 1000; // milliseconds
const page = document.getElementById("page");
const name = location.pathname.startsWith("/study/") ? decodeURIComponent(location.pathname.slice(7)) : null;
const grid = element("div", {class: "grid"});
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
  const optuna = element("a", {href: `/optuna/${encodeURIComponent(said.name)}`, target: "_blank"}, "optuna-dashboard (to look at)");
  settle(page, [
    element("h1", {}, said.name),
    element("p", {}, element("span", {class: `status ${said.status}`, id: "status"}, said.status), ` (${said.why})`),
    element("div", {}, ...said.notes.map(note => element("p", {class: "note"}, note))),
    grid,
    element("p", {}, element("a", {href: "/"}, "All studies"), ...(said.mirror ? [" · ", optuna] : [])),
  ]);
  settle(grid, [
    section("Search", "", definitions(said.facts)), best(said.best, said.verdict),
    picture("ladder", "The ladder: who stands where", "wide",
      "Numbers are trials; triangles train at this moment. Scores of one rung compare, those of different rungs do not."),
    picture("best", "Best so far, over time", ""),
    picture("curves", "Learning curves", "",
      `Pooled score; at most ${said.curves_shown} trials: who trains, and the first of the leaderboard.`),
    section("Leaderboard", "wide", table(said.tables.leaderboard)),
    section("Rungs", "wide", table(said.tables.rungs)),
    section("Out", said.tables.failures.rows.length ? "wide" : "empty", table(said.tables.failures)),
    section("Decisions", "wide", element("ol", {id: "decisions"}, ...said.decisions.map(decision))),
    section("From a terminal", "wide", ...said.commands.flatMap(([what, command]) =>
      [element("div", {class: "faint"}, what), element("code", {}, command)])),
  ]);
  for (const id of ["ladder", "best", "curves"]) draw(figures[id], said.figures[id]);
}

function decision([time, words]) {
  return element("li", {}, element("time", {}, clock(time)), element("span", {}, words));
}

function overview(said) {
  document.title = "Studies";
  const broken = said.broken.map(([, why]) => element("p", {class: "note"}, why));
  settle(page, [element("h1", {}, "Studies"), element("p", {class: "faint"}, said.results), element("div", {}, ...broken), grid]);
  settle(grid, [
    section("All", "wide", table(said.table, study => `/study/${encodeURIComponent(study)}`)),
    ...(said.figure ? [picture("studies", "Who led, over time", "wide")] : []),
  ]);
  if (said.figure) draw(figures.studies, said.figure);
}

function cannotBeOpened(said) {
  settle(page, [element("h1", {}, said.name || "Not found"), element("p", {class: "note broken"}, said.broken || said.error),
    element("p", {}, said.rest || ""), element("p", {}, element("a", {href: "/"}, "All studies"))]);
}

// Returns what is new; null where nobody answers.
async function asked() {
  const address = name === null ? "/api/studies" : `/api/studies/${encodeURIComponent(name)}`;
  try {
    const answer = await fetch(`${address}?seen=${encodeURIComponent(seen)}`, {cache: "no-store"});
    return await answer.json();
  } catch {
    return null;
  }
}

function show(said) {
  const tag = said.tag ?? JSON.stringify(said);
  if (tag === seen) return;
  if (said.error || said.broken?.length && name !== null) cannotBeOpened(said);
  else if (name === null) overview(said);
  else study(said);
  seen = tag;
}

async function follow() {
  const said = await asked(), connection = document.getElementById("connection");
  connection.textContent = said ? "" : "No answer: the search has ended, or its machine. python -m analysis.page shows the study again.";
  try {
    if (said) show(said);
  } catch (error) {
    connection.textContent = "This page could not be drawn; python -m analysis.leaderboard prints the study in a terminal.";
    console.error(error);
  }
  setTimeout(follow, EVERY);
}

follow();
