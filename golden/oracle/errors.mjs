// Errors as goldens keep them: a kind out of one small vocabulary and what the wire said, never the wording of V8, zod
// or an SDK. The kinds are those of streamcore/errors.py, plus "state": an accumulator gave up for its own reasons.

import { createParser } from 'eventsource-parser';

const marked = (error, name) => error?.[Symbol.for(`vercel.ai.error.${name}`)] === true;
const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Is every member of `part` also in `all`? SDK schemas drop the members they do not know, never change the others. */
function isContainedIn(part, all) {
  if (isRecord(part)) {
    const within = (key) => Object.hasOwn(all, key) && isContainedIn(part[key], all[key]);
    return isRecord(all) && Object.keys(part).every(within);
  }
  if (Array.isArray(part)) {
    return Array.isArray(all) && part.length === all.length && part.every((item, i) => isContainedIn(item, all[i]));
  }
  return Object.is(part, all);
}

/** The `error` members of the body's events, in order. */
function errorsOnTheWire(body) {
  const found = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      if (!data.includes('"error"')) return;
      const value = parsed(data);
      if (isRecord(value) && value.error !== undefined && value.error !== null) found.push(value.error);
    },
  });
  parser.feed(new TextDecoder().decode(body));
  return found;
}

/** Errors of AWS event-stream framing have no class or code, only words. */
const FRAMING = [[/checksum/i, 'frame_crc'], [/^Incomplete .*event-stream frame/, 'incomplete_stream'], [/too short/, 'frame_length']];

const framingKind = ({ message }) => FRAMING.find(([words]) => words.test(message))?.[1];

/** Normalises the errors of one run over one body. */
export class ErrorNormaliser {
  #body;
  #wire;

  constructor(body) {
    this.#body = body;
  }

  /** A provider's error object as the wire had it: the SDK's copy lacks the members that its schema does not name. */
  provider(copy) {
    this.#wire ??= errorsOnTheWire(this.#body);
    const at = this.#wire.findIndex((error) => isContainedIn(copy, error));
    return { kind: 'provider', payload: at < 0 ? copy : this.#wire.splice(at, 1)[0] };
  }

  /** What an AI SDK `error` part holds: an SDK error, or the provider's own object. */
  part(error) {
    if (marked(error, 'AI_JSONParseError')) return { kind: 'malformed_json', payload: error.text };
    if (marked(error, 'AI_TypeValidationError')) return { kind: 'invalid_payload', payload: error.value };
    if (marked(error, 'AI_APICallError')) return this.call(error);
    if (error instanceof Error) return { kind: framingKind(error) ?? 'state' };
    return this.provider(error);
  }

  /** What an AI SDK call rejects with. The cause is in `data`, or only as JSON text in `responseBody`. */
  call(error) {
    if (!marked(error, 'AI_APICallError')) return this.part(error);
    const wire = error.data ?? parsed(error.responseBody ?? '');
    if (wire === undefined) return { kind: 'state' };
    // The Anthropic provider turns any first error part into this rejection, its own parse errors included.
    if (wire?.name === 'AI_JSONParseError') return { kind: 'malformed_json', payload: wire.text };
    if (wire?.name === 'AI_TypeValidationError') return { kind: 'invalid_payload', payload: wire.value };
    return this.provider(wire);
  }
}

/**
 * A logger that keeps the text an SDK could not parse: the provider SDKs throw V8's bare SyntaxError, and tell the text
 * at fault to their logger only.
 */
export function unparsedTextLogger() {
  const ignore = () => {};
  const logger = {
    unparsed: undefined,
    error: (message, text) => {
      if (/could not parse/i.test(message)) logger.unparsed ??= text;
    },
    warn: ignore,
    info: ignore,
    debug: ignore,
  };
  return logger;
}

/**
 * Normalises what a provider SDK's final message promise rejects with; `wire` takes the error object out of the event
 * that it came in, if the SDK hands over the whole event.
 */
export function nativeError(error, logger, wire = (payload) => payload) {
  if (error?.error !== undefined) return { kind: 'provider', payload: wire(error.error) };
  if (error instanceof SyntaxError || error?.cause instanceof SyntaxError) {
    return { kind: 'malformed_json', payload: logger.unparsed };
  }
  return { kind: 'state' };
}
