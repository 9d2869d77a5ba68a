// The matrix: filters that the address remembers, arrow keys from cell to cell, and the details of a case.
const form = document.getElementById("filter");
const shownCount = document.getElementById("shown");
const chips = [...form.querySelectorAll(".chip")];
const rows = [...document.querySelectorAll("#matrix tbody tr[data-k]")].map((row) => {
  const facts = page.cases[row.dataset.k];
  const group = row.closest(".group");
  return {
    row,
    key: row.dataset.k,
    v: row.dataset.v,
    p: group.dataset.p,
    s: facts ? facts.subject : "",
    c: facts ? facts.cause : "",
    text: `${decoded(row.dataset.k)} ${row.cells[0].textContent} ${row.dataset.s || ""} ${facts ? facts.cause : ""}`.toLowerCase(),
  };
});
const byKey = new Map(rows.map((one) => [one.key, one]));
const followers = [...document.querySelectorAll("#differences [data-k], #calls [data-k], #overview [data-k]")];

function filter() {
  const words = decoded(state.q || "")
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean);
  const verdicts = new Set((state.v || "").split(",").filter(Boolean));
  const wanted = ["p", "s", "c"].map((name) => [name, decoded(state[name] || "")]).filter(([, value]) => value);
  const visible = new Set();
  const groups = new Set();
  for (const one of rows) {
    const match =
      (!verdicts.size || verdicts.has(one.v)) &&
      wanted.every(([name, value]) => one[name] === value) &&
      words.every((word) => one.text.includes(word));
    one.row.hidden = !match;
    if (match) {
      visible.add(one.key);
      groups.add(one.row.closest(".group"));
    }
    const more = one.row.nextElementSibling;
    if (more && more.classList.contains("more")) more.hidden = !match;
  }
  for (const follower of followers) follower.hidden = !visible.has(follower.dataset.k);
  for (const group of document.querySelectorAll(".group")) group.hidden = !groups.has(group);
  for (const line of document.querySelectorAll("[data-line]")) line.hidden = !line.querySelector("a:not([hidden])");
  for (const chip of chips) chip.setAttribute("aria-pressed", String(verdicts.has(chip.dataset.v)));
  document.getElementById("nothing").hidden = visible.size > 0 || !rows.length;
  shownCount.textContent = visible.size === rows.length ? "" : `${visible.size} of ${rows.length} cases shown`;
  for (const table of document.querySelectorAll(".matrix > table")) rove(table);
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

function step(event) {
  const cell = event.target.closest(".matrix > table > tbody > tr[data-k] > *");
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -99], End: [0, 99] }[
    event.key
  ];
  if (!cell || !by || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  let row = cell.parentNode;
  if (by[0]) {
    const own = [...row.parentNode.rows].filter((one) => one.dataset.k && !one.hidden);
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
  const details = page.cases[row.dataset.k];
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
  if (!details.view)
    box.append(
      element("p", "dim", "Its bytes are not among those that this page holds: run it alone with --case to see them."),
    );
  box.append(tables, drawnBytes, command("Reproduce", details.command.join("standard")));
  const more = element("tr", "more");
  const cell = more.insertCell();
  cell.colSpan = row.cells.length;
  cell.append(box);
  more.showCut = drawnBytes.showCut;
  row.after(more);
  return more;
}
