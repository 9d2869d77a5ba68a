// The wire strip: the bytes of a case in the boxes of their frames, with a tick where a recorded chunk ends, beside what the
// subject made of them. A UTF-8 sequence is one cell and is never broken; a tick inside it stands between its bytes.
function strip(key, view) {
  const bytes = Uint8Array.from(atob(view.bytes), (char) => char.charCodeAt(0));
  const cells = cellsOf(bytes, view);
  const status = element(
    "p",
    "told dim",
    "Point at a character or a byte, or use the arrow keys, to see where it came from.",
  );
  status.setAttribute("role", "status");
  const wire = region(`Bytes of ${detailsOf(key).case}`, "wirebytes", framesOf(cells, view));
  const output = region(`What was made of the bytes of ${detailsOf(key).case}`, "written", outputOf(view));
  if (!view.written.length) output.append(element("p", "empty", "Nothing came out of these frames."));
  if (view.more) output.append(element("p", "cut", `${count(view.more, "more string")} of these frames not drawn.`));
  const box = element(
    "div",
    "strip",
    toggle(wire),
    status,
    element("div", "stripsides", wire, output),
    legend(view, bytes.length, key),
  );
  const chars = [...output.querySelectorAll("[data-a]")];
  const all = [...wire.querySelectorAll("[data-a]")];
  let lit = [];

  function light(from) {
    for (const one of lit) one.classList.remove("lit", "here");
    lit = [];
    const start = Number(from.dataset.a),
      end = Number(from.dataset.b);
    for (const one of [...chars, ...all]) {
      const a = Number(one.dataset.a),
        b = Number(one.dataset.b);
      const touched =
        one === from ||
        (one.parentNode !== from.parentNode &&
          (a === b || start === end ? a <= end && start <= b && a === start : a < end && start < b));
      if (touched) {
        one.classList.add("lit");
        lit.push(one);
      }
    }
    from.classList.add("here");
    const there = lit.find((one) => output.contains(one) !== output.contains(from));
    if (there) bring(there, output.contains(there) ? output : wire);
    status.textContent = sentence(from, view, output.contains(from));
  }

  for (const side of [wire, output]) {
    const own = side === wire ? all : chars;
    side.addEventListener("pointerover", (event) => {
      const cell = event.target.closest("[data-a]");
      if (cell) light(cell);
    });
    side.addEventListener("focus", () => own.length && !lit.some((one) => own.includes(one)) && light(own[0]));
    side.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 20, ArrowUp: -20, Home: -Infinity, End: Infinity }[event.key];
      if (!by || !own.length) return;
      event.preventDefault();
      const at = own.findIndex((one) => one.classList.contains("here"));
      const next = own[Math.max(0, Math.min(own.length - 1, at + by))];
      light(next);
      bring(next, side);
    });
  }
  box.showCut = (offset) => {
    const cell = all.find((one) => Number(one.dataset.a) <= offset && offset < Number(one.dataset.b));
    for (const one of all) one.classList.toggle("cuthere", one === cell);
    if (cell) bring(cell, wire);
  };
  return box;
}

function region(label, className, children) {
  const made = element("div", `scroll ${className}`, ...children);
  made.tabIndex = 0;
  made.setAttribute("role", "region");
  made.setAttribute("aria-label", label);
  return made;
}

// The box scrolls, the page stays where it is.
function bring(one, box) {
  const [inner, outer] = [one.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollTop += inner.top - outer.top - box.clientHeight / 3;
}

function sizeOf(bytes, at) {
  const lead = bytes[at];
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  if (lead < 0x80 || size === 1) return 1;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + size));
    return at + size <= bytes.length ? size : 1;
  } catch {
    return 1;
  }
}

function cellsOf(bytes, view) {
  const cells = [];
  for (let at = 0, size; at < bytes.length; at += size) {
    size = sizeOf(bytes, at);
    const own = bytes.subarray(at, at + size);
    const known = size > 1 || own[0] < 0x80;
    const char = known ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(own) : "";
    cells.push({ start: view.start + at, end: view.start + at + size, bytes: own, char });
  }
  return cells;
}

function hexOf(cell, chunks) {
  return [...cell.bytes].map((byte, at) => (at && chunks.has(cell.start + at) ? "|" : "") + hex(byte, 2)).join(" ");
}

function framesOf(cells, view) {
  const chunks = new Set(view.chunks),
    cuts = new Set(view.cuts);
  const frames = [];
  let frame = null,
    number = -1,
    begins = view.start;
  for (const cell of cells) {
    while (number < 0 || (number < view.ends.length - 1 && cell.start >= view.ends[number])) {
      number += 1;
      begins = number ? view.ends[number - 1] : view.start;
      const head = element("small", "", `frame ${view.frame + number} · from byte ${begins.toLocaleString("en")}`);
      frame = element("code", "framebytes");
      frame.dir = "ltr";
      frames.push(element("div", "frame", head, frame));
    }
    const made = element("span", "b", cell.char ? shown(cell.char) : `\u27e8${hex(cell.bytes[0], 2)}\u27e9`);
    made.dataset.a = cell.start;
    made.dataset.b = cell.end;
    made.dataset.t = made.textContent;
    made.dataset.h = hexOf(cell, chunks);
    if (!cell.char || !isSeen(cell.char)) made.classList.add("esc");
    if (cell.bytes.length > 1) made.classList.add("wide");
    if (chunks.has(cell.start)) made.classList.add("tick");
    for (let at = cell.start + 1; at < cell.end; at++) if (chunks.has(at)) made.classList.add("inside");
    for (let at = cell.start; at < cell.end; at++)
      if (cuts.has(at)) made.classList.add(at === cell.start ? "cutbefore" : "cutinside");
    frame.append(made);
    if (cell.char === "\n") frame.append(element("br"));
  }
  return frames;
}

function outputOf(view) {
  return view.written.map(([part, kind, text, more, start, spans, exact]) => {
    const code = element("code", "line");
    code.dir = "ltr";
    const chars = [...text];
    let at = start,
      index = 0;
    for (const span of spans.split(" ").filter(Boolean)) {
      const shared = span.includes("!");
      const [number, width] = span.split(shared ? "!" : "*").map(Number);
      for (let step = 0; step < number && index < chars.length; step++, index++) {
        const made = element("span", isSeen(chars[index]) ? "c" : "c esc", shown(chars[index]));
        made.dataset.a = shared ? at : at + step * width;
        made.dataset.b = shared ? at + width : at + (step + 1) * width;
        made.dataset.u = nameOf(chars[index]);
        code.append(made);
      }
      at += shared ? width : number * width;
    }
    const head = element("small", "", `part ${part} · ${kind}`);
    if (!exact) head.append(element("b", "inexact", " \u2248 not spelt so in its bytes"));
    const made = element("div", "part", head, code);
    if (more) made.append(element("span", "cut", `… ${count(more, "more character")}`));
    return made;
  });
}

function sentence(cell, view, isOutput) {
  const start = Number(cell.dataset.a),
    end = Number(cell.dataset.b);
  const range =
    end - start === 1
      ? `byte ${start.toLocaleString("en")}`
      : `bytes ${start.toLocaleString("en")}–${end.toLocaleString("en")}`;
  let frame = view.ends.findIndex((one) => start < one);
  frame = frame < 0 ? "after the last frame" : `frame ${view.frame + frame}`;
  const chunk =
    view.chunks.length || view.chunk ? ` · chunk ${view.chunk + view.chunks.filter((one) => one < end).length}` : "";
  const told = isOutput
    ? `${cell.textContent}  ${cell.dataset.u}  from ${range}`
    : `${cell.dataset.t}  ${cell.dataset.h}  ${range}`;
  return `${told} · ${frame}${chunk}`;
}

function toggle(wire) {
  const made = element("div", "toggle");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", "Bytes as");
  for (const [name, key] of [
    ["text", "t"],
    ["hex", "h"],
  ]) {
    const one = button(name, () => {
      for (const cell of wire.querySelectorAll("[data-a]")) cell.textContent = cell.dataset[key];
      wire.classList.toggle("hex", key === "h");
      for (const other of made.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === one));
    });
    one.setAttribute("aria-pressed", String(key === "t"));
    made.append(one);
  }
  return made;
}

function legend(view, length, key) {
  const size = detailsOf(key).heat ? detailsOf(key).heat.size : length;
  const part =
    size > length
      ? `Bytes ${view.start.toLocaleString("en")}–${(view.start + length).toLocaleString("en")} of ${count(size, "byte")}. `
      : "";
  const ticks = view.chunks.length
    ? "A tick before a character: a recorded chunk begins there; under it: inside the character. "
    : "";
  const cuts = view.cuts.length ? "Double line: the minimal cut. " : "";
  return element("p", "dim", `${part}A box is a frame. ${ticks}${cuts}Right: what the subject, fed byte by byte, put out.`);
}
