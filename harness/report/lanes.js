// A slider for each call: its fragments in order of arrival, the arguments as they had grown by then, and their value. It says
// what the table of steps says, which stands there without any script.
const walked = new WeakSet();

function walk(lanes) {
  if (walked.has(lanes)) return;
  walked.add(lanes);
  for (const steps of lanes.querySelectorAll(".steps")) steps.before(slider(lanes, steps.closest(".lane"), steps));
}

function slider(lanes, lane, steps) {
  const fragments = [...lane.querySelectorAll(".frag")];
  const values = [...steps.querySelectorAll("tbody > tr")].map((row) => row.cells[2].firstChild);
  const pieces = [...lane.querySelectorAll(".sum > .line > span")];
  const input = Object.assign(element("input"), { type: "range", min: 1, max: fragments.length, step: 1 });
  input.value = fragments.length;
  input.setAttribute("aria-label", `Fragments of ${lane.querySelector("h3 bdi").textContent} so far`);
  const where = element("small"),
    grown = element("code", "line"),
    value = element("span");
  grown.dir = "ltr";
  const facts = element("dl", "origin", element("dt", "", "arguments so far"), element("dd", "", grown));
  facts.append(element("dt", "", "value so far"), element("dd", "", value));
  const box = element("div", "walk", element("label", "", "From fragment to fragment ", input), " ", where, facts);

  function show() {
    const at = Number(input.value) - 1;
    const number = fragments[at].dataset.f;
    const origin = fragments[at].querySelector("small").textContent;
    where.textContent = `${at + 1} of ${fragments.length} · ${origin}`;
    input.setAttribute("aria-valuetext", where.textContent);
    const last = pieces.findIndex((one) => one.dataset.f === number);
    grown.replaceChildren(
      ...pieces.slice(0, last + 1).map((one, index) => element("span", index === last ? "new" : one.className, one.textContent)),
    );
    value.replaceChildren(values[at].cloneNode(true));
  }

  function point() {
    const number = fragments[Number(input.value) - 1].dataset.f;
    for (const one of lanes.querySelectorAll(".now")) one.classList.remove("now");
    if (document.activeElement !== input) return;
    for (const one of lanes.querySelectorAll(`[data-f~="${number}"]`)) one.classList.add("now");
    const bytes = lanes.querySelector(`.bytes [data-f~="${number}"]`);
    if (bytes) bring(bytes, bytes.closest(".bytes"));
  }

  input.addEventListener("input", () => {
    show();
    point();
  });
  input.addEventListener("focus", point);
  input.addEventListener("blur", point);
  show();
  return box;
}

// The event does not bubble.
document.addEventListener("toggle", (event) => event.target.matches("details.lanes[open]") && walk(event.target), true);
for (const lanes of document.querySelectorAll("details.lanes[open]")) walk(lanes);
