// The provider's own SDK on the final message: Anthropic's MessageStream accumulator.

import Anthropic from '@anthropic-ai/sdk';

import { nativeError, unparsedTextLogger } from '../errors.mjs';

// The SDK hands over the whole `error` event; other references give the error object inside.
const insideEvent = (event) => event?.error ?? event;

async function run({ delivery }) {
  const logger = unparsedTextLogger();
  const client = new Anthropic({ apiKey: 'unused', fetch: delivery.fetch, maxRetries: 0, logLevel: 'error', logger });
  let started = false;
  try {
    const messages = [{ role: 'user', content: 'x' }];
    const stream = client.messages.stream({ model: 'claude-sonnet-4-5', max_tokens: 1, messages });
    // The set of listeners is part of the reference: with an `inputJson` listener the SDK parses tool input at each
    // delta, and throws earlier. Keep it as it is.
    stream.on('streamEvent', () => { started = true; });
    stream.on('error', () => {});
    return { final: await stream.finalMessage() };
  } catch (error) {
    return { error: { ...nativeError(error, logger, insideEvent), stage: delivery.stage(started) } };
  }
}

export const anthropicMessage = { kind: 'final', run };
