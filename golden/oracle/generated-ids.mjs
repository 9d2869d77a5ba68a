// Ids that an SDK made up differ from anything another implementation makes up: `$gen:N` stands for them on both sides.
// The Python twin is harness/generated_ids.py.

import { canonicalString } from './canonical.mjs';

const PART_TYPES = /^(?:tool-input-(?:start|delta|end)|tool-call|tool-result|tool-approval-request|source)$/;
const ID_KEYS = ['id', 'toolCallId'];
const upperHex = (text) => text.replace(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`);
const escapedSlash = (text) => text.replaceAll('/', '\\/');

/** Every spelling under which a JSON writer could have put this string on the wire. */
function spellings(id) {
  const ascii = canonicalString(id).slice(1, -1);
  const forms = [ascii, upperHex(ascii)];
  // A lone surrogate has no UTF-8 form: Buffer would write U+FFFD for it, which is another string.
  if (id.isWellFormed()) forms.push(id, JSON.stringify(id).slice(1, -1));
  return new Set([...forms, ...forms.map(escapedSlash)]);
}

export class GeneratedIds {
  #body;
  #names = new Map();
  #count = 0;

  constructor(body) {
    this.#body = body;
  }

  /** The id itself when it occurs in the body, else its `$gen:N`. */
  name(id) {
    let name = this.#names.get(id);
    if (name === undefined) {
      const onTheWire = [...spellings(id)].some((form) => this.#body.includes(form));
      name = onTheWire ? id : `$gen:${this.#count++}`;
      this.#names.set(id, name);
    }
    return name;
  }

  /** A copy of the part with its generated ids renamed. */
  part(part) {
    if (!PART_TYPES.test(part.type)) return part;
    const renamed = { ...part };
    for (const key of ID_KEYS) if (typeof part[key] === 'string') renamed[key] = this.name(part[key]);
    return renamed;
  }

  /** A copy of a final message: every string under a key `id` is subject to the rule, in canonical (key) order. */
  message(value) {
    if (Array.isArray(value)) return value.map((item) => this.message(item)); // map keeps holes
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Date || value instanceof Uint8Array) return value;
    const renamed = {};
    for (const key of Object.keys(value).sort()) {
      const member = value[key];
      const copy = key === 'id' && typeof member === 'string' ? this.name(member) : this.message(member);
      // Plain assignment of a key "__proto__" would set the prototype instead.
      Object.defineProperty(renamed, key, { value: copy, enumerable: true, configurable: true, writable: true });
    }
    return renamed;
  }
}
