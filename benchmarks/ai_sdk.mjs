// The AI SDK's doStream, timed inside its own process.
//
// Started with the path of a package.json beside the node_modules to use. Reads one JSON request a line:
//   {"dialect": "openai-chat", "file": "...", "chunk": 1400}   -> {"ms": 12.3, "parts": 4005}
// and says first which versions it runs: {"versions": {"node": "...", ...}}.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.argv[2]));
const { createOpenAI } = require('@ai-sdk/openai');
const { createAnthropic } = require('@ai-sdk/anthropic');

const apiKey = 'unused';
const models = {
  'openai-chat': (fetch) => createOpenAI({ apiKey, fetch }).chat('gpt-4o'),
  'anthropic-messages': (fetch) => createAnthropic({ apiKey, fetch })('claude-sonnet-4-5'),
};
const request = { prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }], includeRawChunks: false };

// The file is read and cut before the clock starts; copies, because a reader may transfer the buffer it is given.
function chunksOf(file, size) {
  const body = readFileSync(file);
  const chunks = [];
  for (let start = 0; start < body.length; start += size) chunks.push(new Uint8Array(body.subarray(start, start + size)));
  return chunks;
}

function streamOf(chunks) {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < chunks.length) controller.enqueue(chunks[next++]);
      else controller.close();
    },
  });
}

async function run({ dialect, file, chunk }) {
  const chunks = chunksOf(file, chunk);
  const headers = { 'content-type': 'text/event-stream' };
  const fetch = async () => new Response(streamOf(chunks), { status: 200, headers });
  const model = models[dialect](fetch);
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const reader = (await model.doStream(request)).stream.getReader();
  let parts = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    if (step.value.type === 'error') throw new Error('an error part');
    parts += 1;
  }
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  // The thread's own CPU time is what we want and what Node 20 cannot tell. Both of these are at least that: wall time
  // has the time that other processes took, CPU time has V8's helper threads.
  return { ms: Math.min(wall, (user + system) / 1000), parts };
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const versionOf = (name) => require(`${name}/package.json`).version;

say({
  versions: {
    node: process.version,
    '@ai-sdk/openai': versionOf('@ai-sdk/openai'),
    '@ai-sdk/anthropic': versionOf('@ai-sdk/anthropic'),
  },
});
for await (const line of createInterface({ input: process.stdin })) say(await run(JSON.parse(line)));
