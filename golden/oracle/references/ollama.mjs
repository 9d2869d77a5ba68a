// The provider's own SDK for Ollama: it has no accumulator, so its final state is the list of chunks it yields.

import { Ollama } from 'ollama';

async function run({ delivery }) {
  const client = new Ollama({ host: 'http://server.invalid', fetch: delivery.fetch });
  const chunks = [];
  try {
    const messages = [{ role: 'user', content: 'x' }];
    for await (const chunk of await client.chat({ model: 'm', messages, stream: true })) chunks.push(chunk);
    return { final: { chunks } };
  } catch (error) {
    const kind = error instanceof SyntaxError ? 'malformed_json' : 'state';
    return { error: { kind, stage: delivery.stage(chunks.length > 0) } };
  }
}

export const ollamaChunks = { kind: 'final', contentType: 'application/x-ndjson', run };
