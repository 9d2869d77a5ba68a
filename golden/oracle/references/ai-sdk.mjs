// The unified references: what a Vercel AI SDK provider's doStream makes of the body, part by part.

import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createBedrockAnthropic } from '@ai-sdk/amazon-bedrock/anthropic';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createAzure } from '@ai-sdk/azure';
import { createCohere } from '@ai-sdk/cohere';
import { createDeepSeek } from '@ai-sdk/deepseek';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createVertexAnthropic } from '@ai-sdk/google-vertex/anthropic/edge';
import { createVertex } from '@ai-sdk/google-vertex/edge';
import { createGroq } from '@ai-sdk/groq';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { createPerplexity } from '@ai-sdk/perplexity';
import { createXai } from '@ai-sdk/xai';

import { elementsAsEvents } from '../deliver.mjs';
import { generateId } from '../pins.mjs';

const apiKey = 'unused';
const compatible = (fetch) => createOpenAICompatible({ name: 'compat', baseURL: 'http://server.invalid', apiKey, fetch });
const vertexAnthropic = (fetch) => createVertexAnthropic({
  project: 'p', location: 'us-east5', generateAuthToken: async () => apiKey, fetch, generateId,
});

// Model ids are ones the provider knows, so that it adds no warnings; nothing else depends on them.
const models = {
  'ai.openai.chat': (fetch) => createOpenAI({ apiKey, fetch }).chat('gpt-4o'),
  'ai.openai.responses': (fetch) => createOpenAI({ apiKey, fetch }).responses('gpt-4o'),
  'ai.openai.completion': (fetch) => createOpenAI({ apiKey, fetch }).completion('gpt-3.5-turbo-instruct'),
  'ai.azure.chat': (fetch) => createAzure({ resourceName: 'r', apiKey, fetch }).chat('gpt-4o'),
  'ai.azure.responses': (fetch) => createAzure({ resourceName: 'r', apiKey, fetch }).responses('gpt-4o'),
  'ai.anthropic': (fetch) => createAnthropic({ apiKey, fetch, generateId })('claude-sonnet-4-5'),
  'ai.vertex.anthropic': (fetch) => vertexAnthropic(fetch)('claude-sonnet-4-5'),
  'ai.google': (fetch) => createGoogleGenerativeAI({ apiKey, fetch, generateId })('gemini-2.5-flash'),
  'ai.google.array': (fetch) => models['ai.google'](elementsAsEvents(fetch)),
  'ai.google.interactions':
    (fetch) => createGoogleGenerativeAI({ apiKey, fetch, generateId }).interactions('gemini-2.5-flash'),
  'ai.vertex': (fetch) => createVertex({ apiKey, fetch, generateId })('gemini-2.5-flash'),
  'ai.bedrock': (fetch) => createAmazonBedrock({ region: 'us-east-1', apiKey, fetch })('amazon.nova-lite-v1:0'),
  'ai.bedrock.anthropic': (fetch) => createBedrockAnthropic({ region: 'us-east-1', apiKey, fetch, generateId })(
    'anthropic.claude-sonnet-4-5-20250929-v1:0',
  ),
  'ai.xai.chat': (fetch) => createXai({ apiKey, fetch }).chat('grok-3'),
  'ai.xai.responses': (fetch) => createXai({ apiKey, fetch }).responses('grok-4'),
  'ai.compat': (fetch) => compatible(fetch)('model'),
  'ai.cohere': (fetch) => createCohere({ apiKey, fetch, generateId })('command-a-03-2025'),
  'ai.deepseek': (fetch) => createDeepSeek({ apiKey, fetch })('deepseek-chat'),
  'ai.groq': (fetch) => createGroq({ apiKey, fetch })('llama-3.3-70b-versatile'),
  'ai.mistral': (fetch) => createMistral({ apiKey, fetch, generateId })('mistral-large-latest'),
  'ai.perplexity': (fetch) => createPerplexity({ apiKey, fetch, generateId })('sonar'),
};

// What the response claims to be, where it is no event stream.
const contentTypes = {
  'ai.bedrock': 'application/vnd.amazon.eventstream',
  'ai.bedrock.anthropic': 'application/vnd.amazon.eventstream',
};

// One function tool is declared, as in any agent; some providers map tool names only when tools are there.
const tools = [{
  type: 'function',
  name: 'get_weather',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
}];
// To an API that has none, a tool is only something to warn about.
const withoutTools = new Set(['ai.openai.completion']);

const request = (name) => ({
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
  tools: withoutTools.has(name) ? undefined : tools,
  includeRawChunks: false,
});

function item({ type, ...rest }, errors) {
  return type === 'error' ? ['error', { ...errors.part(rest.error), stage: 'stream' }] : [type, rest];
}

const doStream = (name, makeModel) => async ({ delivery, errors }) => {
  let stream;
  try {
    ({ stream } = await makeModel(delivery.fetch).doStream(request(name)));
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
  Object.entries(models).map(([name, makeModel]) => [
    name, { kind: 'trace', contentType: contentTypes[name], run: doStream(name, makeModel) },
  ]),
);
