// Pieces of a page, made of text alone: nothing that a study says is ever read as markup.

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  made.append(...children.map(child => (child instanceof Node ? child : String(child))));
  return made;
}

const SHORT = 12; // rows that are shown unasked
const opened = new Set(); // what a reader has unfolded stays so

function folded(title, ...children) {
  const properties = opened.has(title) ? {open: ""} : {};
  const made = element("details", properties, element("summary", {}, title), ...children);
  made.addEventListener("toggle", () => opened[made.open ? "add" : "delete"](title));
  return made;
}

function section(title, classes, ...children) {
  return element("section", {class: classes}, element("h2", {}, title), ...children);
}

// cells: [rows of text]; links: the address of a row's first cell, where it has one
function table({columns, rows, note}, address = null) {
  if (rows.length > 2 * SHORT) {
    return element("div", {}, table({columns, rows: rows.slice(0, SHORT), note: ""}, address),
      folded(`${rows.length - SHORT} more`, table({columns, rows: rows.slice(SHORT), note}, address)));
  }
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

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], {hour12: false});
}

// Draws a figure into its own place; one that is there already is changed, not made anew: zoom and hover stay.
function draw(place, figure) {
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  figure.layout.font = {...figure.layout.font, color: ink};
  figure.layout.uirevision = "kept";
  return Plotly.react(place, figure.data, figure.layout, {responsive: true, displaylogo: false, displayModeBar: false});
}
