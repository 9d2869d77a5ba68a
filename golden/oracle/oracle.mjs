// The oracle: JSON lines on stdin and stdout, one answer a request, in order. README.md describes the messages.

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { resetPins } from './pins.mjs'; // first: pins must be in place before any SDK loads

const { makeGolden, TimeLimitError } = await import('./golden.mjs');
const { references } = await import('./references/index.mjs');
resetPins();

const PROTOCOL_VERSION = 1;
const DEFAULT_LIMIT_MS = 60_000;
/** A hanging SDK cannot be stopped from inside; whoever started us sees this code and starts a fresh process. */
const EXIT_AFTER_TIME_LIMIT = 75;

let strays = 0;
// An SDK's forgotten promise must not end the process, nor fail the run that happens to be going on.
process.on('unhandledRejection', () => { strays += 1; });
process.on('uncaughtException', () => { strays += 1; });

const send = (answer) => new Promise((resolve) => { process.stdout.write(`${JSON.stringify(answer)}\n`, resolve); });

function installedVersions() {
  const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const names = Object.keys(read('./package.json').dependencies);
  return Object.fromEntries(names.map((name) => [name, read(`./node_modules/${name}/package.json`).version]));
}

class RequestError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function hello() {
  return { v: PROTOCOL_VERSION, node: process.version, sdks: installedVersions(), references: Object.keys(references) };
}

async function bodyOf({ body_base64: base64, path }) {
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  if (typeof path === 'string') return readFile(path);
  throw new RequestError('bad_request', 'run needs body_base64 or path');
}

async function run(request) {
  const { ref: name, check = {}, limit_ms: limitMs = DEFAULT_LIMIT_MS } = request;
  const reference = Object.hasOwn(references, name) ? references[name] : undefined;
  if (!reference) throw new RequestError('unknown_reference', `unknown reference ${JSON.stringify(name)}`);
  const strayBefore = strays;
  const body = await bodyOf(request);
  const { lines, variants, difference } = await makeGolden({ name, reference, body, check, limitMs });
  return {
    ref: name,
    lines,
    variants,
    varies: difference !== undefined,
    ...(difference && { difference }),
    stray: strays - strayBefore,
  };
}

const operations = { hello, run };

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    throw new RequestError('bad_request', 'a line that is not JSON');
  }
}

async function answer(line) {
  let request = {};
  try {
    request = parsed(line);
    const operation = Object.hasOwn(operations, request?.op) ? operations[request.op] : undefined;
    if (!operation) throw new RequestError('bad_request', `unknown op ${JSON.stringify(request?.op)}`);
    await send({ op: request.op, id: request.id, ...await operation(request) });
  } catch (error) {
    const hang = error instanceof TimeLimitError;
    const code = hang ? 'time_limit' : error instanceof RequestError ? error.code : 'failed';
    await send({ op: request?.op, id: request?.id, error: { code, message: String(error?.message) } });
    if (hang) process.exit(EXIT_AFTER_TIME_LIMIT);
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() !== '') await answer(line);
}
process.exit(0); // an SDK may hold a timer; there is nothing left to wait for
