// Following the address, the theme, and what is set in motion when the page opens.
const root = document.documentElement;

function remembered() {
  try {
    return localStorage.getItem("streamparity-theme");
  } catch {
    return null; // a viewer of artifacts may refuse storage
  }
}

function setTheme(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  try {
    if (theme) localStorage.setItem("streamparity-theme", theme);
    else localStorage.removeItem("streamparity-theme");
  } catch {
    return; // then it holds until the page is closed
  }
}

const themeButton = document.getElementById("theme");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function nameTheme() {
  themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
}

themeButton.addEventListener("click", () => {
  const next = isDark() ? "light" : "dark";
  // The system's own theme is followed again, not written down.
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches === (next === "dark") ? "" : next);
  nameTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);

// The bytes of a card are drawn when it comes near the window: a hundred cards open at once.
const drawers = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) drawWires(entry.target);
  },
  { rootMargin: "400px" },
);

function drawWires(place) {
  drawers.unobserve(place);
  if (!place.firstChild) {
    const made = wires(place.dataset.wires);
    place.append(made);
    place.showCut = made.showCut;
  }
  return place;
}

function showCut(place) {
  const offset = Number(state.cut);
  if (!place || !place.showCut || !Number.isInteger(offset) || offset < 1) return false;
  const panel = place.showCut(offset);
  panel.scrollIntoView({ block: "center", behavior: "instant" });
  return true;
}

function go() {
  const lanes = state.lanes && document.getElementById(`lanes=${state.lanes}`);
  if (lanes) {
    lanes.parentElement.open = true;
    lanes.parentElement.scrollIntoView({ behavior: "instant" });
    return;
  }
  const key = state.case || state.row;
  const entry = byKey.get(key);
  if (entry) {
    entry.pinned = true;
    showGroup(entry.group);
  }
  for (const more of document.querySelectorAll("tr.more")) {
    if (!entry || !entry.row || more.previousElementSibling !== entry.row) more.remove();
  }
  if (!key || !entry) return;
  const card = state.case && document.getElementById(`case=${key}`);
  if (!card || card === entry.row) {
    const more = openRow(entry.row);
    if (!showCut(more)) entry.row.scrollIntoView({ behavior: "instant" });
    return;
  }
  const differences = [...card.querySelectorAll(".diff")];
  const wanted =
    differences.find((one) => state.ev && one.dataset.ev === state.ev && (!state.u16 || one.dataset.u16 === state.u16)) ||
    differences[Number(state.d || 1) - 1];
  if (wanted) wanted.open = true;
  const place = card.querySelector("[data-wires]");
  if (state.cut && place) {
    place.closest("details").open = true;
    if (showCut(drawWires(place))) return;
  }
  (wanted && wanted !== differences[0] ? wanted : card).scrollIntoView({ behavior: "instant" });
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  writeAddress(Object.fromEntries(FILTERS.map((name) => [name, ""])));
  showFilters();
  filter();
});
form.q.addEventListener("input", () => {
  writeAddress({ q: encoded(form.q.value.trim()) });
  filter();
});
for (const select of form.querySelectorAll("select")) {
  select.addEventListener("change", () => {
    writeAddress({ [select.name]: encoded(select.value) });
    filter();
  });
}
for (const chip of chips) {
  chip.addEventListener("click", () => {
    const pressed = new Set((state.v || "").split(",").filter(Boolean));
    if (!pressed.delete(chip.dataset.v)) pressed.add(chip.dataset.v);
    writeAddress({ v: [...pressed].join(",") });
    filter();
  });
}
for (const line of document.querySelectorAll(".cmd")) withCopy(line);
document.getElementById("matrix").addEventListener("keydown", step);

// Following a link to the place where one is changes no address, but may have to open the place again.
document.addEventListener("click", (event) => {
  const followed = event.target.closest('a[href^="#case="], a[href^="#lanes="]');
  if (followed && followed.getAttribute("href") === location.hash) go();
});
addEventListener("hashchange", () => {
  if (location.hash && !location.hash.includes("=")) return; // a section of the page: the filters stay
  const before = state;
  state = readAddress();
  // A link to a case keeps the filters that are set, unless they hide the case.
  const kept = Object.fromEntries(FILTERS.filter((name) => before[name]).map((name) => [name, before[name]]));
  if (state.case && !FILTERS.some((name) => name in state) && Object.keys(kept).length) {
    const entry = byKey.get(state.case);
    if (entry && entry.match) writeAddress(kept);
  }
  start();
});

// The bytes of a fragment may be out of sight within their box: the box follows, the page stays where it is.
function follow(event) {
  const fragment = event.target.closest && event.target.closest(".lanes [data-f]");
  const box = fragment && fragment.closest(".lanes").querySelector(".bytes");
  if (!box || box.contains(fragment)) return;
  const bytes = box.querySelector(`[data-f~="${fragment.dataset.f}"]`);
  if (bytes) bring(bytes, box);
}
document.addEventListener("pointerover", follow);
document.addEventListener("focusin", follow);
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll(".card details")) one.open = true;
  for (const group of groups) grow(group, Infinity);
});

function start() {
  showFilters();
  filter();
  go();
}

setTheme(remembered());
nameTheme();
themeButton.hidden = false;
form.hidden = !entries.length;
for (const place of document.querySelectorAll("[data-wires]")) drawers.observe(place);
state = readAddress();
start();
