// One golden: a reference run over a body in several chunkings, which must all give the same canonical lines.

import crypto from 'node:crypto';

import { canonical } from './canonical.mjs';
import { Delivery, plans } from './deliver.mjs';
import { ErrorNormaliser } from './errors.mjs';
import { GeneratedIds } from './generated-ids.mjs';
import { resetPins } from './pins.mjs';

const FORMAT_VERSION = 1;

export const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

/** A run did not end in time. It may still be going on inside its SDK, so the process is not to be used again. */
export class TimeLimitError extends Error {
  constructor(plan) {
    super(`did not end in time (plan ${plan})`);
  }
}

async function withinLimit(promise, plan, leftMs) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TimeLimitError(plan)), Math.max(1, leftMs));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function canonicalLines(outcome, body) {
  const ids = new GeneratedIds(body);
  const lines = (outcome.items ?? []).map(([type, rest]) => {
    const { type: _, ...renamed } = ids.part({ ...rest, type });
    return canonical([type, renamed]);
  });
  const error = outcome.error ?? outcome.end;
  if (error !== undefined) lines.push(canonical({ end: 'error', error }));
  else if ('final' in outcome) lines.push(canonical({ end: 'ok', final: ids.message(outcome.final) }));
  else lines.push(canonical({ end: 'ok' }));
  return lines;
}

async function runOnce(reference, body, { plan, chunks }, leftMs) {
  resetPins();
  const delivery = new Delivery(chunks, { contentType: reference.contentType });
  const outcome = await withinLimit(reference.run({ delivery, errors: new ErrorNormaliser(body) }), plan, leftMs);
  try {
    return canonicalLines(outcome, body);
  } catch (error) {
    // MessageStream parses tool input lazily: reading an unclosed block's input can throw, and then there is no final.
    if ('final' in outcome) return [canonical({ end: 'error', error: { kind: 'state', stage: 'close' } })];
    throw error;
  }
}

function firstDifference(whole, other) {
  const length = Math.max(whole.length, other.length);
  for (let i = 0; i < length; i += 1) if (whole[i] !== other[i]) return i;
  return -1;
}

/**
 * Runs `reference` over `body` whole and in every other chunking of `check` ({ random, seed }), all within `limitMs`.
 *
 * Returns { lines, variants, difference? }: the golden's lines, header first; the chunkings that ran; and, when one of
 * them gave something else, { plan, line, whole, other } with the first line that differs (null where one trace is
 * shorter).
 */
export async function makeGolden({ name, reference, body, check, limitMs }) {
  const start = performance.now(); // not Date: that one is pinned
  const header = canonical({ v: FORMAT_VERSION, ref: name, body: sha256(body) });
  const variants = [];
  let lines;
  for (const variant of plans(body, { ...check, wholeOnly: reference.wholeOnly })) {
    const got = [header, ...await runOnce(reference, body, variant, start + limitMs - performance.now())];
    variants.push({ plan: variant.plan, chunks: variant.chunks.length });
    lines ??= got;
    const line = firstDifference(lines, got);
    if (line >= 0) {
      const difference = { plan: variant.plan, line, whole: lines[line] ?? null, other: got[line] ?? null };
      return { lines, variants, difference };
    }
  }
  return { lines, variants };
}
