// Pieces of a page, made of text alone: nothing that a study says is ever read as markup.

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  made.append(...children.map(child => (child instanceof Node ? child : String(child))));
  return made;
}

const SHORT = 12; // rows that are shown unasked
const opened = new Set(); // what a reader has unfolded stays so

function folded(name, title, ...children) {
  const properties = opened.has(name) ? {open: ""} : {};
  const made = element("details", properties, element("summary", {}, title), ...children);
  made.addEventListener("toggle", () => opened[made.open ? "add" : "delete"](name));
  return made;
}

function section(title, classes, ...children) {
  return element("section", {class: classes}, element("h2", {}, title), ...children);
}

// A section with a figure, made once: its figure is changed, not made anew.
const figures = {}, pictures = {};
function picture(id, title, classes, note = "") {
  figures[id] ??= element("div", {id});
  return pictures[id] ??= section(title, classes, figures[id], element("p", {class: "faint"}, note));
}

// Puts parts into a place, always the same ones in the same order: one that says what it said before stays, with its scroll,
// focus and selection.
function settle(place, parts) {
  for (const [index, part] of parts.entries()) {
    const old = place.children[index];
    if (!old) place.append(part);
    else if (old !== part && !old.isEqualNode(part)) exchange(old, part);
  }
  while (place.children.length > parts.length) place.lastElementChild.remove();
}

function exchange(old, part) {
  const scrolled = found => [...found.querySelectorAll(".scroll, ol")];
  const before = scrolled(old).map(one => [one.scrollLeft, one.scrollTop]);
  old.replaceWith(part);
  scrolled(part).slice(0, before.length).forEach((one, index) => { [one.scrollLeft, one.scrollTop] = before[index]; });
}

// Of many rows all but the first are folded away. `address` gives a link for a row's first cell.
function table({columns, rows, note}, address = null) {
  if (rows.length <= 2 * SHORT) return plainTable(columns, rows, note, address);
  return element("div", {}, plainTable(columns, rows.slice(0, SHORT), "", address),
    folded(columns.join(), `${rows.length - SHORT} more`, plainTable(columns, rows.slice(SHORT), note, address)));
}

function plainTable(columns, rows, note, address) {
  const head = element("tr", {}, ...columns.map(name => element("th", {scope: "col"}, name)));
  const cell = (text, index) =>
    element("td", {class: text.length > 48 ? "long" : "short"}, address && !index ? element("a", {href: address(text)}, text) : text);
  const body = rows.map(row => element("tr", {}, ...row.map(cell)));
  const drawn = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", {}, element("div", {class: "scroll"}, drawn), element("p", {class: "faint"}, note || ""));
}

function definitions(pairs) {
  return element("dl", {}, ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

// The time of day, and the date where it is not today.
function clock(seconds) {
  const then = new Date(seconds * 1000);
  const time = then.toLocaleTimeString([], {hour12: false});
  return then.toDateString() === new Date().toDateString() ? time : `${then.toLocaleDateString()} ${time}`;
}

// Draws a figure into its own place; one that is there already is changed, not made anew: zoom and hover stay.
function draw(place, figure) {
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  figure.layout.font = {...figure.layout.font, color: ink};
  figure.layout.uirevision = "kept";
  return Plotly.react(place, figure.data, figure.layout, {responsive: true, displaylogo: false, displayModeBar: false});
}
