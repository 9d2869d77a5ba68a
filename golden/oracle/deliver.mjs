// How a body reaches an SDK: cut into chunks, through `fetch`, without a socket.

/** One chunk. */
export const whole = (body) => [body];

/** Chunks of `size` bytes. */
export function every(body, size) {
  const chunks = [];
  for (let start = 0; start < body.length; start += size) chunks.push(body.subarray(start, start + size));
  return chunks;
}

/** Random cuts, the same for the same seed: mostly a few bytes, at most 64, so that long bodies stay affordable. */
export function randomCuts(body, seed) {
  let state = (seed ^ 0x2545f491) >>> 0 || 1;
  const draw = () => { // xorshift32
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  const chunks = [];
  for (let start = 0; start < body.length;) {
    const size = 1 + Math.floor(draw() * draw() * 64);
    chunks.push(body.subarray(start, start + size));
    start += size;
  }
  return chunks;
}

/** Above this size a body is not fed byte by byte but in chunks of CAPPED_CHUNK bytes; the answer says so. */
export const BYTEWISE_LIMIT = 64 * 1024;
/** A prime, so that the cuts drift over every alignment of the wire format. */
export const CAPPED_CHUNK = 61;

/** The chunkings a reference is run with: name and chunks. The first is the golden's, the others must agree with it. */
export function plans(body, { random = 0, seed = 0, wholeOnly = false } = {}) {
  if (wholeOnly) return [{ plan: 'whole', chunks: whole(body) }];
  const bytewise = body.length <= BYTEWISE_LIMIT ? ['bytes', 1] : [`every:${CAPPED_CHUNK}`, CAPPED_CHUNK];
  const list = [
    { plan: 'whole', chunks: whole(body) },
    { plan: bytewise[0], chunks: every(body, bytewise[1]) },
  ];
  for (let n = 0; n < random; n += 1) list.push({ plan: `random:${seed + n}`, chunks: randomCuts(body, seed + n) });
  return list;
}

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

/**
 * One delivery of one body. `fetch` answers any request with the chunks; `ended` tells whether the end of input has
 * been announced. Chunks are handed over on demand only, and the end is announced after a full turn of the event loop,
 * when the SDK has finished with all it was given: so "did this go wrong before or at the end of input?" has one answer
 * for every chunking.
 */
export class Delivery {
  constructor(chunks, { contentType = 'text/event-stream' } = {}) {
    this.chunks = chunks;
    this.ended = false;
    this.fetch = async () => new Response(this.stream(), { status: 200, headers: { 'content-type': contentType } });
  }

  stream() {
    let next = 0;
    return new ReadableStream({
      pull: async (controller) => {
        if (next < this.chunks.length) {
          // A copy: some readers transfer the buffer they are given.
          controller.enqueue(new Uint8Array(this.chunks[next]));
          next += 1;
          return;
        }
        await turn();
        this.ended = true;
        controller.close();
      },
    }, { highWaterMark: 0 });
  }

  /** The stage of an error that is raised now; `started`: has the SDK given any output yet? */
  stage(started) {
    if (this.ended) return 'close';
    return started ? 'stream' : 'open';
  }
}

/**
 * A `fetch` for SDKs that read a stream of values as server-sent events only: each element of a JSON array becomes one
 * event. Whatever is no JSON array passes unchanged.
 */
export const elementsAsEvents = (fetch) => async (...request) => {
  const response = await fetch(...request);
  const text = await response.text();
  let elements;
  try {
    elements = JSON.parse(text);
  } catch {
    elements = undefined;
  }
  const events = Array.isArray(elements) && elements.map((element) => `data: ${JSON.stringify(element)}\n\n`).join('');
  return new Response(events === false ? text : events, { status: response.status, headers: response.headers });
};
