// Search, verdict filters, details of a case, copy buttons. The page says everything that matters without this script.
// Recorded text gets into the page through textContent only. What is shown is mirrored in the address:
// #q=tool&v=fail,error&case=openai-chat/text&ev=12&u16=345, or #lanes=openai-chat/tool for the drawing of its tool calls
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const chips = [...form.querySelectorAll(".chip")];
  const rows = [...document.querySelectorAll("#matrix tbody tr[data-k]")].map((row) => ({
    row,
    key: row.dataset.k,
    verdict: row.dataset.v,
    text: `${decoded(row.dataset.k)} ${row.cells[0].textContent} ${row.dataset.s || ""}`.toLowerCase(),
  }));
  const followers = [...document.querySelectorAll("#differences [data-k], #calls [data-k]")];
  let state = {};

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // half of a surrogate pair: compared as it is spelt
    }
  }

  function encoded(text) {
    try {
      return encodeURIComponent(text);
    } catch {
      return "";
    }
  }

  // Values stay percent-encoded: the page's own ids and keys are, too.
  function read() {
    const found = {};
    for (const pair of location.hash.slice(1).split("&")) {
      const at = pair.indexOf("=");
      if (at > 0) found[pair.slice(0, at)] = pair.slice(at + 1);
    }
    for (const key of ["case", "row", "lanes"]) {
      if (found.subject && found[key]) found[key] += `&subject=${found.subject}`;
    }
    return found;
  }

  function write(changes) {
    const next = { ...state, ...changes };
    if ("case" in changes) delete next.lanes;
    const pairs = Object.entries(next).filter(([key, value]) => value && key !== "subject");
    const hash = pairs.map(([key, value]) => `${key}=${value}`).join("&");
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    state = read();
  }

  function filter() {
    const words = decoded(state.q || "").toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = new Set((state.v || "").split(",").filter(Boolean));
    const visible = new Set();
    for (const one of rows) {
      const match = (!verdicts.size || verdicts.has(one.verdict)) && words.every((word) => one.text.includes(word));
      one.row.hidden = !match;
      if (match) visible.add(one.key);
      const more = one.row.nextElementSibling;
      if (more && more.classList.contains("more")) more.hidden = !match;
    }
    for (const follower of followers) follower.hidden = !visible.has(follower.dataset.k);
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector("tbody tr[data-k]:not([hidden])");
    }
    for (const chip of chips) chip.setAttribute("aria-pressed", String(verdicts.has(chip.dataset.v)));
    shown.textContent = visible.size === rows.length ? "" : `${visible.size} of ${rows.length} cases shown`;
  }

  function table(caption, heads, lines) {
    const made = element("table", "plain");
    const head = made.createTHead().insertRow();
    for (const text of heads) {
      const cell = element("th", "", text);
      cell.scope = "col";
      head.append(cell);
    }
    const body = made.createTBody();
    for (const line of lines) {
      const row = body.insertRow();
      for (const value of line) {
        const cell = row.insertCell();
        cell.append(element("bdi", "", typeof value === "number" ? value.toLocaleString("en") : value || "–"));
        if (typeof value === "number") cell.className = "num";
      }
    }
    made.prepend(element("caption", "sr", caption));
    return made;
  }

  function open(row) {
    if (row.nextElementSibling && row.nextElementSibling.classList.contains("more")) return row.nextElementSibling;
    const details = data[row.dataset.k];
    if (!details) return row;
    const facts = element("dl");
    for (const [name, value] of details.facts) {
      facts.append(element("dt", "", name), element("dd", "", element("bdi", "", value)));
    }
    const close = element("button", "", "Close");
    close.type = "button";
    const box = element("div", "stay", element("b", "", element("bdi", "", details.case)), " ", close, facts);
    const tables = element("div", "tables");
    if (details.plans.length) {
      const heads = ["Plan", "Chunkings", "Splits", "Comparisons", "Sampled"];
      const lines = details.plans.map((plan) => [...plan.slice(0, 4), plan[4] ? "sampled" : "no"]);
      tables.append(table("Plans", heads, lines));
    }
    if (details.references.length) {
      const heads = ["Reference", "Verdict", "Golden lines", "Divergences", "Reason"];
      tables.append(table("References", heads, details.references));
    }
    if (details.drawn) {
      const link = element("a", "", "Its tool calls, drawn");
      link.href = `#lanes=${row.dataset.k}`;
      box.append(element("p", "", link));
    }
    box.append(tables);
    const more = element("tr", "more");
    const cell = more.insertCell();
    cell.colSpan = row.cells.length;
    cell.append(box);
    close.addEventListener("click", () => {
      more.remove();
      row.querySelector("a").focus();
      write({ case: "", ev: "", u16: "", d: "" });
    });
    row.after(more);
    return more;
  }

  function go() {
    const drawn = state.lanes && document.getElementById(`lanes=${state.lanes}`);
    if (drawn) {
      drawn.parentElement.open = true;
      drawn.parentElement.scrollIntoView({ behavior: "instant" });
      return;
    }
    const key = state.case || state.row;
    const entry = rows.find((one) => one.key === key);
    if (!key || !entry) return;
    const card = state.case && document.getElementById(`case=${key}`);
    if (!card || card === entry.row) {
      open(entry.row);
      entry.row.scrollIntoView({ block: "center", behavior: "instant" });
      return;
    }
    const differences = [...card.querySelectorAll(".diff")];
    const wanted =
      differences.find((one) => state.ev && one.dataset.ev === state.ev && (!state.u16 || one.dataset.u16 === state.u16)) ||
      differences[Number(state.d || 1) - 1];
    if (wanted) wanted.open = true;
    (wanted && wanted !== differences[0] ? wanted : card).scrollIntoView({ behavior: "instant" });
  }

  async function copy(button, code) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    form.q.value = "";
    write({ q: "", v: "" });
    filter();
  });
  form.q.addEventListener("input", () => {
    write({ q: encoded(form.q.value.trim()) });
    filter();
  });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const pressed = new Set((state.v || "").split(",").filter(Boolean));
      if (!pressed.delete(chip.dataset.v)) pressed.add(chip.dataset.v);
      write({ v: [...pressed].join(",") });
      filter();
    });
  }
  for (const command of document.querySelectorAll(".cmd")) {
    const button = element("button", "", "Copy");
    button.type = "button";
    button.addEventListener("click", () => copy(button, command.querySelector("code")));
    command.append(button);
  }
  // Following a link to the place where one is changes no address, but may have to open the place again.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#case="], a[href^="#lanes="]');
    if (link && link.getAttribute("href") === location.hash) go();
  });
  addEventListener("hashchange", () => {
    if (location.hash && !location.hash.includes("=")) return; // a section of the page: the filters stay
    const before = state;
    state = read();
    // A link to a case keeps the filters that are set, unless they hide the case.
    if (state.case && !("q" in state) && !("v" in state) && (before.q || before.v)) {
      const entry = rows.find((one) => one.key === state.case);
      if (entry && !entry.row.hidden) write({ q: before.q, v: before.v });
    }
    start();
  });
  // The bytes of a fragment may be out of sight within their box: the box follows, the page stays where it is.
  function follow(event) {
    const fragment = event.target.closest && event.target.closest(".lanes [data-f]");
    const box = fragment && fragment.closest(".lanes").querySelector(".bytes");
    if (!box || box.contains(fragment)) return;
    const bytes = box.querySelector(`[data-f~="${fragment.dataset.f}"]`);
    if (!bytes) return;
    const [inner, outer] = [bytes.getBoundingClientRect(), box.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollTop += inner.top - outer.top - box.clientHeight / 3;
  }
  document.addEventListener("pointerover", follow);
  document.addEventListener("focusin", follow);
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll(".card details")) one.open = true;
  });

  function start() {
    form.q.value = decoded(state.q || "");
    filter();
    go();
  }

  form.hidden = !rows.length;
  state = read();
  start();
})();
