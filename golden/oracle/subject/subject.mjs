// The references as a subject of the harness: what made the goldens is run through the same checks as everybody. The
// messages are described in harness/subjects/process.py; a "dialect" is the name of a reference here.

import { createInterface } from 'node:readline';

import { resetPins } from '../pins.mjs'; // first: pins must be in place before any SDK loads

const { createHash } = await import('node:crypto');
const { canonical } = await import('../canonical.mjs');
const { Delivery } = await import('../deliver.mjs');
const { ErrorNormaliser } = await import('../errors.mjs');
const { references } = await import('../references/index.mjs');
const { readFileSync } = await import('node:fs');
resetPins();

const PROTOCOL_VERSION = 1;

// An SDK's forgotten promise must not end the process, nor fail the run that happens to be going on.
process.on('unhandledRejection', () => {});
process.on('uncaughtException', () => {});

const readable = Object.fromEntries(Object.entries(references).filter(([, { kind }]) => kind === 'trace'));

function hello() {
  const sdk = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).dependencies;
  return {
    v: PROTOCOL_VERSION,
    name: 'ai-sdk',
    version: sdk['@ai-sdk/openai'],
    dialects: Object.keys(readable),
    capabilities: ['run'],
  };
}

function cut(body, lengths) {
  const chunks = [];
  let start = 0;
  for (const length of lengths) {
    chunks.push(body.subarray(start, start + length));
    start += length;
  }
  return chunks;
}

async function partsOf(reference, chunks) {
  resetPins();
  const delivery = new Delivery(chunks, { contentType: reference.contentType });
  const { items, end } = await reference.run({ delivery, errors: new ErrorNormaliser(Buffer.concat(chunks)) });
  const parts = items.map(([type, rest]) => ({ ...rest, type }));
  return end === undefined ? parts : [...parts, { ...end, type: 'error', end: true }];
}

async function run({ case: { dialect }, body, chunkings, trace }) {
  if (!Object.hasOwn(readable, dialect)) throw new Error(`no reference is called ${JSON.stringify(dialect)}`);
  const bytes = Buffer.from(body, 'base64');
  const results = [];
  for (const lengths of chunkings) {
    const parts = await partsOf(readable[dialect], cut(bytes, lengths));
    const digest = createHash('sha256').update(canonical(parts)).digest('hex');
    results.push(trace ? { digest, parts } : { digest });
  }
  return { results };
}

const operations = { hello, run };

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const { op, id, ...question } = JSON.parse(line);
  let answer;
  try {
    if (!Object.hasOwn(operations, op)) throw new Error(`${op} is not offered`);
    answer = await operations[op](question);
  } catch (error) {
    answer = { error: { message: String(error?.message) } };
  }
  await new Promise((resolve) => { process.stdout.write(`${JSON.stringify({ op, id, ...answer })}\n`, resolve); });
}
process.exit(0); // an SDK may hold a timer; there is nothing left to wait for
