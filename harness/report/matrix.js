// The matrix: filters that the address remembers, arrow keys from cell to cell, and the details of a case. Rows that the page
// does not have yet are made from its data when they come into sight.
const form = document.getElementById("filter");
const shownCount = document.getElementById("shown");
const chips = [...form.querySelectorAll(".chip")];
const MORE_ROWS = 100;
const entries = [];
const sections = [...document.querySelectorAll("#matrix .group")];
const groups = page.groups.map(([p, rows], at) => {
  const section = sections[at];
  const group = { section, body: section.querySelector("tbody"), rest: section.querySelector(".rest"), entries: [] };
  group.first = group.limit = group.body.rows.length;
  for (const data of rows) {
    const row = group.body.rows[group.entries.length] || null;
    const [v, s, c] = [data[2], data[3], data[6]].map((number) => page.words[number]);
    const entry = { index: entries.length, key: data[0], data, group, row, v, s, c, p: page.words[p], match: true, pinned: false };
    group.entries.push(entry);
    entries.push(entry);
  }
  return group;
});
const byKey = new Map(entries.map((one) => [one.key, one]));
const followers = [...document.querySelectorAll("#differences [data-k], #calls [data-k], #overview .dot:not(.more)")].map((one) => [
  one.dataset.k || one.getAttribute("href").slice("#case=".length),
  one,
]);

// A line of the overview is a dialect and a subject, in the order of their first cases.
const lineOf = (entry) => `${entry.p}\n${entry.data[4] ? entry.s : ""}`;
const lineNames = [...new Set(entries.map(lineOf))];
const overview = [...document.querySelectorAll("[data-line]")];
const unmarked = [...document.querySelectorAll("#overview .more")].map((one) => [
  `${lineNames[overview.indexOf(one.closest("[data-line]"))]}\n${one.dataset.v}`,
  one,
]);

function textOf(entry) {
  const { data } = entry;
  const words = [decoded(entry.key), data[1], ...[data[3], data[5], ...data[11], data[14]].map((number) => page.words[number])];
  return (entry.text = words.join(" ").toLowerCase());
}

function rowOf(entry) {
  const { data, group } = entry;
  const [key, name, , , foreign, , , bytes, parts, frames, warned, codes, card, cells] = data;
  const row = element("tr");
  row.id = `${card ? "row" : "case"}=${key}`;
  row.dataset.k = key;
  row.dataset.v = entry.v;
  const head = element("th", "", link(`#case=${key}`, name));
  head.scope = "row";
  if (foreign) head.append(" ", element("bdi", "dim", entry.s));
  head.append(" ", element("span", "prov", page.words[data[5]]));
  row.append(head, element("td", "", element("span", `badge v-${entry.v}`, glyph(page.glyphs[entry.v]), ` ${entry.v}`)));
  for (const cell of cells) {
    const [v, number, sampled, title] = Array.isArray(cell) ? cell : [-1, 0, 0, cell];
    const verdict = page.words[v];
    const one = element("td", verdict ? `v-${verdict}` : "none", glyph(verdict ? page.glyphs[verdict] : "–"));
    one.append(verdict ? ` ${verdict} ${number.toLocaleString("en")}` : " none");
    if (sampled) one.append(element("em", "", "sampled"));
    if (page.words[title]) one.title = page.words[title];
    row.append(one);
  }
  for (const number of [bytes, parts, frames, warned]) row.append(element("td", "num", number.toLocaleString("en")));
  if (codes.length) row.lastChild.title = codes.map((code) => page.words[code]).join(", ");
  entry.row = row;
  return row;
}

function glyph(text) {
  const shape = element("b", "", text);
  shape.setAttribute("aria-hidden", "true");
  return shape;
}

// As many of the rows that the filters leave as have been asked for, in order, and those that a link leads to.
function showGroup(group) {
  let number = 0,
    last = null;
  for (const entry of group.entries) {
    const seen = entry.match && (number++ < group.limit || entry.pinned);
    if ((seen || entry.pinned) && !entry.row) last ? last.after(rowOf(entry)) : group.body.prepend(rowOf(entry));
    if (!entry.row) continue;
    const more = entry.row.nextElementSibling;
    const opened = more && more.classList.contains("more");
    if (entry.row.hidden === seen) entry.row.hidden = !seen;
    if (opened) more.hidden = !seen;
    last = opened ? more : entry.row;
  }
  group.section.hidden = number === 0;
  if (group.rest) {
    group.rest.hidden = number <= group.limit;
    group.rest.firstChild.data = `${count(Math.min(group.limit, number), "case")} of ${number.toLocaleString("en")}: scroll on, or `;
  }
  rove(group.body.parentNode);
  return number;
}

function grow(group, by) {
  group.limit += by;
  showGroup(group);
}

const growers = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      grow(
        groups.find((group) => group.rest === target),
        MORE_ROWS,
      );
      growers.unobserve(target);
      growers.observe(target); // it may be in sight still
    }
  },
  { rootMargin: "300px", scrollMargin: "300px" },
);
for (const group of groups) {
  if (!group.rest) continue;
  group.rest.classList.add("dim");
  group.rest.replaceChildren(
    "",
    button("show all", () => grow(group, Infinity)),
  );
  growers.observe(group.rest);
}

function filter() {
  const words = decoded(state.q || "")
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean);
  const verdicts = new Set((state.v || "").split(",").filter(Boolean));
  const wanted = ["p", "s", "c"].map((name) => [name, decoded(state[name] || "")]).filter(([, value]) => value);
  let visible = 0;
  for (const one of entries) {
    one.match =
      (!verdicts.size || verdicts.has(one.v)) &&
      wanted.every(([name, value]) => one[name] === value) &&
      words.every((word) => (one.text || textOf(one)).includes(word));
    if (!one.match) one.pinned = false;
  }
  for (const group of groups) {
    group.limit = group.rest ? group.first : Infinity;
    visible += showGroup(group);
  }
  const left = new Map();
  const add = (key, number) => left.set(key, (left.get(key) || 0) + number);
  for (const one of entries.filter((one) => one.match)) {
    add(lineOf(one), 1);
    add(`${lineOf(one)}\n${one.v}`, 1);
  }
  for (const [key, follower] of followers) {
    const entry = byKey.get(key);
    const match = Boolean(entry && entry.match);
    if (follower.hidden === match) follower.hidden = !match;
    if (match && follower.className.startsWith("dot")) add(`${lineOf(entry)}\n${entry.v}`, -1);
  }
  overview.forEach((line, at) => (line.hidden = !left.get(lineNames[at])));
  for (const [name, more] of unmarked) {
    more.hidden = !left.get(name);
    more.firstChild.data = `+${(left.get(name) || 0).toLocaleString("en")} ${page.glyphs[more.dataset.v]}`;
  }
  for (const chip of chips) chip.setAttribute("aria-pressed", String(verdicts.has(chip.dataset.v)));
  document.getElementById("nothing").hidden = visible > 0 || !entries.length;
  shownCount.textContent = visible === entries.length ? "" : `${visible} of ${entries.length} cases shown`;
}

function showFilters() {
  form.q.value = decoded(state.q || "");
  for (const select of form.querySelectorAll("select")) select.value = decoded(state[select.name] || "");
}

// One stop of the Tab key a table; the arrow keys go on from there.
function rove(table, to) {
  const links = [...table.querySelectorAll("tbody > tr[data-k] > th a")];
  const current = to || links.find((one) => !one.closest("tr").hidden);
  for (const one of links) one.tabIndex = one === current ? 0 : -1;
}

function inner(cell) {
  return cell.querySelector("a") || cell;
}

function shownRows(row) {
  const group = groups.find((one) => one.body === row.parentNode);
  const own = () => [...group.body.rows].filter((one) => one.dataset.k && !one.hidden);
  const found = own();
  if (found[found.length - 1] !== row || !group.rest || group.rest.hidden) return found;
  grow(group, MORE_ROWS);
  return own();
}

function step(event) {
  const cell = event.target.closest(".matrix > table > tbody > tr[data-k] > *");
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -99], End: [0, 99] }[
    event.key
  ];
  if (!cell || !by || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  let row = cell.parentNode;
  if (by[0]) {
    const own = shownRows(row);
    row = own[Math.max(0, Math.min(own.length - 1, own.indexOf(row) + by[0]))];
  }
  const next = row.cells[Math.max(0, Math.min(row.cells.length - 1, cell.cellIndex + by[1]))];
  const target = inner(next);
  if (target === next) next.tabIndex = -1;
  else rove(row.closest("table"), target);
  target.focus();
}

function provenance(origin) {
  const facts = element("dl", "origin");
  for (const [name, value] of origin) {
    const values = Array.isArray(value) ? value : [value];
    facts.append(
      element("dt", "", name),
      element("dd", "", ...values.flatMap((one) => [element("bdi", "", one), element("br")]).slice(0, -1)),
    );
  }
  return facts;
}

function openRow(row) {
  const after = row.nextElementSibling;
  if (after && after.classList.contains("more")) return after;
  const details = detailsOf(row.dataset.k);
  if (!details) return row;
  const close = button("Close", () => {
    more.remove();
    row.querySelector("a").focus();
    writeAddress({ case: "", ev: "", u16: "", d: "", cut: "" });
  });
  const box = element("div", "stay", element("b", "", element("bdi", "", details.case)), " ", close);
  const recorded = element("div", "", element("h4", "", "Provenance"), provenance(details.origin));
  box.append(element("div", "tables", element("div", "", element("h4", "", "Case"), provenance(details.facts)), recorded));
  const tables = element("div", "tables");
  if (details.plans.length) {
    const lines = details.plans.map((plan) => [...plan.slice(0, 4), plan[4] ? "sampled" : "no"]);
    tables.append(table("Plans", ["Plan", "Chunkings", "Splits", "Comparisons", "Sampled"], lines));
  }
  if (details.references.length) {
    const heads = ["Reference", "Verdict", "Golden lines", "Divergences", "Reason"];
    tables.append(table("References", heads, details.references));
  }
  if (details.drawn) box.append(element("p", "", link(`#lanes=${row.dataset.k}`, "Its tool calls, drawn")));
  const drawnBytes = wires(row.dataset.k);
  if (details.missing) drawnBytes.append(element("p", "dim", page.missing[details.missing]));
  box.append(tables, drawnBytes, command("Reproduce", details.command.join("standard")));
  const more = element("tr", "more");
  const cell = more.insertCell();
  cell.colSpan = row.cells.length;
  cell.append(box);
  more.showCut = drawnBytes.showCut;
  row.after(more);
  return more;
}
