// The provider's own SDK: openai's accumulators for chat completions and responses, its iterator for legacy completions.

import OpenAI from 'openai';

import { nativeError, unparsedTextLogger } from '../errors.mjs';

const final = (converse) => ({
  kind: 'final',
  run: async ({ delivery }) => {
    const logger = unparsedTextLogger();
    const client = new OpenAI({ apiKey: 'unused', fetch: delivery.fetch, maxRetries: 0, logLevel: 'error', logger });
    let started = false;
    try {
      return { final: await converse(client, () => { started = true; }) };
    } catch (error) {
      return { error: { ...nativeError(error, logger), stage: delivery.stage(started) } };
    }
  },
});

// The set of listeners is part of a reference: this SDK's events are emitted lazily. Keep it as it is.
export const chatCompletion = final((client, onStart) => {
  const stream = client.chat.completions.stream({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] });
  stream.on('chunk', onStart);
  stream.on('error', () => {});
  return stream.finalChatCompletion();
});

export const response = final((client, onStart) => {
  const stream = client.responses.stream({ model: 'gpt-4o', input: 'x' });
  stream.on('event', onStart);
  stream.on('error', () => {});
  return stream.finalResponse();
});

export const completion = final(async (client, onStart) => {
  const chunks = [];
  for await (const chunk of await client.completions.create({ model: 'm', prompt: 'x', stream: true })) {
    onStart();
    chunks.push(chunk);
  }
  return { chunks };
});
