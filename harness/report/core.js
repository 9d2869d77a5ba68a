// What the other scripts of the page share: making elements, the state that the address mirrors, characters made visible.
// Recorded text gets into the page through text nodes only. The page says everything that matters without any script.
// The address: #q=tool&v=fail,error&p=openai-chat&s=streamcore&c=rule&case=openai-chat/text&ev=12&u16=345&cut=77,
// or #lanes=openai-chat/tool for the drawing of its tool calls.
// The data is one JSON value, with a line for each case: what is said of a case is read when it is asked for.
const lines = document.getElementById("data").textContent.split("\n");
const page = JSON.parse(`${lines[0]}}}`);
const FILTERS = ["q", "v", "p", "s", "c"];
let state = {};

const told = new Map();

function detailsOf(key) {
  const entry = byKey.get(key);
  if (entry && !told.has(key)) told.set(key, unpacked(Object.values(JSON.parse(`{${lines[1 + entry.index].replace(/,$/, "")}}`))[0]));
  return told.get(key);
}

function unpacked(details) {
  for (const name of ["facts", "origin", "references", "plans"])
    details[name] = details[name].map((item) => (typeof item === "number" ? page.shared[item] : item));
  if (details.heat)
    for (const kind of Object.keys(KINDS)) {
      let at = 0;
      const steps = details.heat[kind];
      details.heat[kind] = [];
      for (let index = 0; index < steps.length; index += 2) {
        at += steps[index] + steps[index + 1];
        details.heat[kind].push([at - steps[index + 1], at]);
      }
    }
  return details;
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function button(text, onClick, className = "") {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

function link(href, ...children) {
  const made = element("a", "", ...children);
  made.href = href;
  return made;
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
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
function readAddress() {
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

function writeAddress(changes) {
  const next = { ...state, ...changes };
  if ("case" in changes) delete next.lanes;
  const pairs = Object.entries(next).filter(([key, value]) => value && key !== "subject");
  const hash = pairs.map(([key, value]) => `${key}=${value}`).join("&");
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  state = readAddress();
}

const UNSEEN = /^[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}\p{DI}\u2800]$/u;

function hex(number, digits) {
  return number.toString(16).toUpperCase().padStart(digits, "0");
}

function isSeen(char) {
  return char === " " || !UNSEEN.test(char);
}

// As harness.report.visible spells it.
function shown(char) {
  if (isSeen(char)) return /\p{M}/u.test(char) ? `\u25cc${char}` : char;
  const point = hex(char.codePointAt(0), 4);
  return `\u27e8${page.spellings[point.replace(/^0+(?=.)/, "")] || `U+${point}`}\u27e9`;
}

function nameOf(char) {
  const point = char.codePointAt(0);
  const name = page.names[hex(point, 1)];
  return name ? `U+${hex(point, 4)} ${name}` : `U+${hex(point, 4)}`;
}

function command(caption, text) {
  const code = element("code", "", text);
  code.dir = "ltr";
  const line = element("div", "cmd", element("span", "dim", caption), " ", code);
  withCopy(line);
  return line;
}

function withCopy(line) {
  const code = line.querySelector("code");
  line.append(button("Copy", (event) => copy(event.currentTarget, code)));
}

async function copy(made, code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    made.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    made.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => (made.textContent = "Copy"), 2000);
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
