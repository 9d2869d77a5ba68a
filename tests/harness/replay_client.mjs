// The OpenAI and Anthropic SDKs for TypeScript, and bare `fetch`, against given addresses: jobs on stdin, what came on stdout,
// as JSON.

import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const require = createRequire(process.argv[2]);
const OpenAI = require('openai');
const Anthropic = require('@anthropic-ai/sdk');
const quiet = { apiKey: 'any', maxRetries: 0 };

const ask = {
  'openai-chat': ({ base, body }) => new OpenAI({ baseURL: `${base}/v1`, ...quiet }).chat.completions.stream(body).finalChatCompletion(),
  'openai-responses': ({ base, body }) => new OpenAI({ baseURL: `${base}/v1`, ...quiet }).responses.stream(body).finalResponse(),
  'anthropic-messages': ({ base, body }) => new Anthropic({ baseURL: base, ...quiet }).messages.stream(body).finalMessage(),
};

/** The lengths of the chunks that `fetch` hands on. */
ask.fetch = async ({ base, path, body }) => {
  const response = await fetch(base + path, { method: 'POST', body: JSON.stringify(body) });
  const lengths = [];
  for await (const chunk of response.body) lengths.push(chunk.length);
  return lengths;
};

const finals = [];
for (const job of JSON.parse(await text(process.stdin))) {
  try {
    finals.push({ message: await ask[job.dialect](job) });
  } catch (error) {
    finals.push({ error: error.constructor.name, status: error.status ?? null });
  }
}
process.stdout.write(JSON.stringify(finals));
