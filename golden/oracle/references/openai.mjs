// The provider's own SDK on the final message: openai's ChatCompletionStream accumulator.

import OpenAI from 'openai';

import { nativeError, unparsedTextLogger } from '../errors.mjs';

async function run({ delivery }) {
  const logger = unparsedTextLogger();
  const client = new OpenAI({ apiKey: 'unused', fetch: delivery.fetch, maxRetries: 0, logLevel: 'error', logger });
  let started = false;
  try {
    const stream = client.chat.completions.stream({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] });
    // The set of listeners is part of the reference: this SDK's events are emitted lazily. Keep it as it is.
    stream.on('chunk', () => { started = true; });
    stream.on('error', () => {});
    return { final: await stream.finalChatCompletion() };
  } catch (error) {
    return { error: { ...nativeError(error, logger), stage: delivery.stage(started) } };
  }
}

export const chatCompletion = { kind: 'final', run };
