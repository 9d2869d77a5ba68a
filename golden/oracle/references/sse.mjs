// SSE framing alone: eventsource-parser behind a streaming TextDecoder, which is what every AI SDK provider uses.
// Comments, retry and onError are left out: onError depends on the chunking when a bad line is split.

import { createParser } from 'eventsource-parser';

async function run({ delivery }) {
  const items = [];
  const parser = createParser({ onEvent: ({ data, event, id }) => items.push(['frame', { data, event, id }]) });
  const response = await delivery.fetch();
  const decoder = new TextDecoder('utf-8');
  for await (const bytes of response.body) parser.feed(decoder.decode(bytes, { stream: true }));
  parser.feed(decoder.decode());
  return { items };
}

export const sseFrames = { kind: 'frames', run };
