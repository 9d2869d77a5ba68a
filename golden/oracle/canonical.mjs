// The canonical text of a value: the same value gives the same ASCII bytes in Node and in Python. The Python twin is
// harness/canonical.py.
//
//   - ASCII only: every code unit >= U+007F is a lower-case \uxxxx (U+007F too, because Python's json escapes it).
//   - Object keys sorted by UTF-16 code unit; this also undoes V8's habit of putting integer-like keys first.
//   - Numbers as ECMAScript Number::toString; -0 is 0; NaN and the infinities are {"$num":"NaN"}.
//   - undefined, functions and symbols: key absent (null in an array, as in JSON.stringify); a hole is {"$hole":true}.
//   - Date: ISO text with milliseconds; bytes: base64.

const NOT_ASCII = /[\u007f-\uffff]/g;
const escapeUnit = (unit) => '\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0');

export const canonicalString = (text) => JSON.stringify(text).replace(NOT_ASCII, escapeUnit);

const isAbsent = (value) => value === undefined || typeof value === 'function' || typeof value === 'symbol';

function canonicalNumber(value) {
  if (Number.isFinite(value)) return String(value === 0 ? 0 : value);
  return `{"$num":"${value}"}`;
}

function canonicalArray(items) {
  const texts = [];
  // A plain map() would skip holes and lose the difference between "no element" and null.
  for (let i = 0; i < items.length; i += 1) texts.push(i in items ? canonical(items[i]) : '{"$hole":true}');
  return `[${texts.join(',')}]`;
}

function canonicalObject(value) {
  const members = [];
  // Array.prototype.sort compares strings by UTF-16 code unit, which is the order we want.
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (!isAbsent(member)) members.push(`${canonicalString(key)}:${canonical(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** The canonical JSON text of `value`. Throws RangeError when it nests deeper than the stack allows. */
export function canonical(value) {
  switch (typeof value) {
    case 'string': return canonicalString(value);
    case 'number': return canonicalNumber(value);
    case 'boolean': return String(value);
    case 'bigint': return String(value);
    case 'object': break;
    default: return 'null';
  }
  if (value === null) return 'null';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'null' : canonicalString(value.toISOString());
  if (value instanceof Uint8Array) return canonicalString(Buffer.from(value).toString('base64'));
  return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value);
}
