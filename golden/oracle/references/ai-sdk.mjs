// The unified references: what a Vercel AI SDK provider's doStream makes of the body, part by part.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';

import { generateId } from '../pins.mjs';

const apiKey = 'unused';

// Model ids are ones the provider knows, so that it adds no warnings; nothing else depends on them.
const models = {
  'ai.openai.chat': (fetch) => createOpenAI({ apiKey, fetch }).chat('gpt-4o'),
  'ai.anthropic': (fetch) => createAnthropic({ apiKey, fetch, generateId })('claude-sonnet-4-5'),
};

// One function tool is declared, as in any agent; some providers map tool names only when tools are there.
const request = () => ({
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
  tools: [{
    type: 'function',
    name: 'get_weather',
    inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
  }],
  includeRawChunks: false,
});

function item({ type, ...rest }, errors) {
  return type === 'error' ? ['error', { ...errors.part(rest.error), stage: 'stream' }] : [type, rest];
}

const doStream = (makeModel) => async ({ delivery, errors }) => {
  let stream;
  try {
    ({ stream } = await makeModel(delivery.fetch).doStream(request()));
  } catch (error) {
    // Rejected because the first thing on the wire was an error: there is no stream at all.
    return { items: [], end: { ...errors.call(error), stage: 'open' } };
  }
  const items = [];
  try {
    for await (const part of stream) items.push(item(part, errors));
  } catch (error) {
    return { items, end: { ...errors.part(error), stage: delivery.stage(true) } };
  }
  return { items };
};

export const aiSdkReferences = Object.fromEntries(
  Object.entries(models).map(([name, makeModel]) => [name, { kind: 'trace', run: doStream(makeModel) }]),
);
