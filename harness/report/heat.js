// The boundary heat-bar: every byte boundary, neighbours of one kind in one stretch. Heights tell the kinds apart as well as
// colours do.
const KINDS = {
  proven: ["proven", "\u2713", 20, 12],
  sampled: ["held, sampled", "\u25cb", 16, 16],
  failing: ["failing", "\u2717", 2, 30],
};

function heatBar(key, heat, onCut) {
  const places = Math.max(1, heat.size - 1);
  const bar = drawn("svg", {
    class: "heat",
    width: "100%",
    height: "34",
    viewBox: "0 0 1000 34",
    preserveAspectRatio: "none",
    role: "group",
  });
  const counts = {};
  bar.append(drawn("rect", { class: "h-none", x: 0, y: 28, width: 1000, height: 4 }));
  const marks = [];
  for (const [kind, [, , y, height]] of Object.entries(KINDS)) {
    counts[kind] = heat.counts ? heat.counts[kind] || 0 : heat[kind].reduce((sum, [start, end]) => sum + end - start, 0);
    let path = "";
    for (const [start, end] of heat[kind]) {
      const exact = (1000 * (end - start)) / places;
      const width = kind === "proven" ? exact : Math.max(exact, kind === "failing" ? 3 : 1);
      const x = Math.max(0, Math.min((1000 * (start - 1)) / places - (width - exact) / 2, 1000 - width));
      if (kind !== "failing") {
        path += `M${x.toFixed(2)} ${y}h${width.toFixed(2)}v${height}h-${width.toFixed(2)}z`;
        continue;
      }
      const told = end - start === 1 ? `byte ${start}` : `bytes ${start} to ${end - 1}`;
      const mark = drawn("a", {
        href: `#case=${key}&cut=${start}`,
        "aria-label": `Split at ${told}: fails`,
        tabindex: marks.length ? "-1" : "0",
        "data-cut": start,
      });
      const rect = drawn("rect", { class: "h-failing", x: x.toFixed(2), y, width: width.toFixed(2), height });
      mark.append(drawn("title", {}, `Split at ${told}: fails`), rect);
      marks.push(mark);
    }
    if (path) bar.append(drawn("path", { class: `h-${kind}`, d: path }));
  }
  bar.append(...marks); // after all others, so that they lie above them
  const told = Object.entries(KINDS).map(([kind, [name, glyph]]) => [kind, name, glyph, counts[kind]]);
  const rest = places - counts.proven - counts.sampled - counts.failing;
  bar.setAttribute(
    "aria-label",
    `${count(places, "boundary").replace("boundarys", "boundaries")}: ${told.map(([, name, , n]) => `${n} ${name}`).join(", ")}`,
  );
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    const at = marks.indexOf(event.target.closest("a"));
    if (!by || at < 0) return;
    event.preventDefault();
    const next = marks[Math.max(0, Math.min(marks.length - 1, at + by))];
    for (const one of marks) one.setAttribute("tabindex", one === next ? "0" : "-1");
    next.focus();
  });
  const list = element("p", "legend");
  for (const [kind, name, glyph, number] of told) {
    if (number)
      list.append(element("span", `k k-${kind}`, element("b", "", glyph), ` ${name} ${number.toLocaleString("en")}`));
  }
  if (rest > 0) list.append(element("span", "k dim", `– not tried alone ${rest.toLocaleString("en")}`));
  list.append(element("span", "dim", `of ${places.toLocaleString("en")} byte boundaries`));
  if (heat.note) list.append(element("span", "dim", heat.note));
  const panel = element("div", "splitpanel");
  panel.hidden = true;
  panel.tabIndex = -1;
  const box = element("div", "heatbox", bar, list, panel);
  box.showCut = (offset) => {
    for (const mark of marks) mark.toggleAttribute("data-open", Number(mark.dataset.cut) === offset);
    panel.hidden = false;
    panel.className = `splitpanel v-${within(heat.failing, offset) ? "fail" : "pass"}`;
    panel.replaceChildren(...split(key, heat, offset));
    onCut(offset);
    return panel;
  };
  return box;
}

function within(ranges, offset) {
  return ranges.some(([start, end]) => start <= offset && offset < end);
}

// What is known about one split.
function split(key, heat, offset) {
  const one = detailsOf(key);
  const verdict = within(heat.failing, offset)
    ? "fails"
    : within(heat.proven, offset) || within(heat.sampled, offset)
      ? "holds"
      : "was not tried alone";
  const head = element(
    "p",
    "",
    element("b", "", `Split at byte ${offset.toLocaleString("en")}`),
    `: the body ${verdict}${verdict === "was not tried alone" ? "" : " when it is cut here and nowhere else"}.`,
  );
  const made = [head];
  const around = one.view && splitBytes(one.view, offset);
  if (around) made.push(...around);
  made.push(command("Reproduce this split", one.command.join(`split@${offset}`)));
  return made;
}

function splitBytes(view, offset) {
  const bytes = Uint8Array.from(atob(view.bytes), (char) => char.charCodeAt(0));
  const at = offset - view.start;
  if (at <= 0 || at >= bytes.length) return [element("p", "dim", "Its bytes lie outside of what this page holds.")];
  const cells = cellsOf(bytes, view);
  const cell = cells.find((one) => one.start < offset && offset < one.end);
  const near = (from, to) =>
    [...bytes.subarray(Math.max(0, from), Math.min(bytes.length, to))].map((byte) => hex(byte, 2)).join(" ");
  const text = (test) =>
    cells
      .filter(test)
      .map((one) => (one.char ? shown(one.char) : `\u27e8${hex(one.bytes[0], 2)}\u27e9`))
      .join("");
  const frame = view.ends.findIndex((one) => offset < one);
  const where = cell
    ? `inside ${nameOf(cell.char)}`
    : bytes[at - 1] === 13 && bytes[at] === 10
      ? "between CR and LF"
      : view.ends.includes(offset)
        ? "between two frames"
        : "between two characters";
  const code = (content) => Object.assign(element("code", "", content), { dir: "ltr" });
  const line = element("p", "cutline", code(near(at - 8, at)), element("b", "cut", " | "), code(near(at, at + 8)));
  const begin = cell ? cell.start : offset,
    end = cell ? cell.end : offset;
  const words = element(
    "p",
    "cutline",
    code(text((one) => one.end <= begin && one.end > begin - 16)),
    element("b", "cut", " | "),
  );
  if (cell) words.append(code(shown(cell.char)), element("b", "cut", " | "));
  words.append(code(text((one) => one.start >= end && one.start < end + 16)));
  return [element("p", "dim", `It lies ${where}, in frame ${frame < 0 ? "none" : view.frame + frame}.`), line, words];
}

// The heat-bar and the strip of one case, made when they come into sight.
function wires(key) {
  const one = detailsOf(key);
  const made = element("div", "wires");
  if (!one) return made;
  const bytes = one.view && strip(key, one.view);
  if (one.heat) {
    const bar = heatBar(key, one.heat, (offset) => bytes && bytes.showCut(offset));
    made.append(element("h4", "", "Byte boundaries"), bar);
    made.showCut = bar.showCut;
  }
  if (bytes) made.append(element("h4", "", "Bytes, and what was made of them"), bytes);
  return made;
}
