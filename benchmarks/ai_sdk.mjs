// The AI SDK's doStream, timed inside its own process.
//
// Started with the path of a package.json beside the node_modules to use. Reads one JSON request a line:
//   {"reference": "ai.openai.chat", "file": "...", "chunk": 1400}   -> {"ms": 12.3, "parts": {"text-delta": 4000, ...}}
// and says first which versions it runs: {"versions": {"node": "...", ...}}.
//
// The names are those of the oracle's references (harness/references.py), the models what the oracle makes for them.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.argv[2]));
// A package is loaded when it is first asked for: what is not measured shall not be in the heap.
const provider = (name, maker, options) => (fetch) => (
  require(`@ai-sdk/${name}`)[maker]({ apiKey: 'unused', fetch, ...options })
);
const token = async () => 'unused';
const openai = provider('openai', 'createOpenAI');
const azure = provider('azure', 'createAzure', { resourceName: 'r' });
const anthropic = provider('anthropic', 'createAnthropic');
const onVertex = { project: 'p', location: 'us-east5', generateAuthToken: token };
const vertexAnthropic = provider('google-vertex/anthropic/edge', 'createVertexAnthropic', onVertex);
const google = provider('google', 'createGoogleGenerativeAI');
const vertex = provider('google-vertex/edge', 'createVertex');
const bedrock = provider('amazon-bedrock', 'createAmazonBedrock', { region: 'us-east-1' });
const bedrockAnthropic = provider('amazon-bedrock/anthropic', 'createBedrockAnthropic', { region: 'us-east-1' });
const xai = provider('xai', 'createXai');
const compatible = provider('openai-compatible', 'createOpenAICompatible', {
  name: 'compat', baseURL: 'http://server.invalid',
});
const cohere = provider('cohere', 'createCohere');
const deepseek = provider('deepseek', 'createDeepSeek');
const groq = provider('groq', 'createGroq');
const mistral = provider('mistral', 'createMistral');
const perplexity = provider('perplexity', 'createPerplexity');

const models = {
  'ai.openai.chat': (fetch) => openai(fetch).chat('gpt-4o'),
  'ai.openai.responses': (fetch) => openai(fetch).responses('gpt-4o'),
  'ai.openai.completion': (fetch) => openai(fetch).completion('gpt-3.5-turbo-instruct'),
  'ai.azure.chat': (fetch) => azure(fetch).chat('gpt-4o'),
  'ai.azure.responses': (fetch) => azure(fetch).responses('gpt-4o'),
  'ai.anthropic': (fetch) => anthropic(fetch)('claude-sonnet-4-5'),
  'ai.vertex.anthropic': (fetch) => vertexAnthropic(fetch)('claude-sonnet-4-5'),
  'ai.google': (fetch) => google(fetch)('gemini-2.5-flash'),
  'ai.google.array': (fetch) => google(fetch)('gemini-2.5-flash'),
  'ai.google.interactions': (fetch) => google(fetch).interactions('gemini-2.5-flash'),
  'ai.vertex': (fetch) => vertex(fetch)('gemini-2.5-flash'),
  'ai.bedrock': (fetch) => bedrock(fetch)('amazon.nova-lite-v1:0'),
  'ai.bedrock.anthropic': (fetch) => bedrockAnthropic(fetch)('anthropic.claude-sonnet-4-5-20250929-v1:0'),
  'ai.xai.chat': (fetch) => xai(fetch).chat('grok-3'),
  'ai.xai.responses': (fetch) => xai(fetch).responses('grok-4'),
  'ai.compat': (fetch) => compatible(fetch)('model'),
  'ai.cohere': (fetch) => cohere(fetch)('command-a-03-2025'),
  'ai.deepseek': (fetch) => deepseek(fetch)('deepseek-chat'),
  'ai.groq': (fetch) => groq(fetch)('llama-3.3-70b-versatile'),
  'ai.mistral': (fetch) => mistral(fetch)('mistral-large-latest'),
  'ai.perplexity': (fetch) => perplexity(fetch)('sonar'),
};
const packages = [
  'amazon-bedrock', 'anthropic', 'azure', 'cohere', 'deepseek', 'google', 'google-vertex', 'groq', 'mistral', 'openai',
  'openai-compatible', 'perplexity', 'xai',
];
// What tells some of them that a tool may be called, as in any agent.
const tool = { type: 'function', name: 'write_file', inputSchema: { type: 'object', properties: {} } };
const request = {
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }], tools: [tool], includeRawChunks: false,
};

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

async function run({ reference, file, chunk }) {
  const chunks = chunksOf(file, chunk);
  const binary = reference.startsWith('ai.bedrock');
  const headers = { 'content-type': binary ? 'application/vnd.amazon.eventstream' : 'text/event-stream' };
  const fetch = async () => new Response(streamOf(chunks), { status: 200, headers });
  const model = models[reference](fetch);
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const reader = (await model.doStream(request)).stream.getReader();
  const types = [];
  for (let step = await reader.read(); !step.done; step = await reader.read()) types.push(step.value.type);
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  const parts = {};
  for (const type of types) parts[type] = (parts[type] ?? 0) + 1;
  if (parts.error) throw new Error(`${reference} gave an error part`);
  // The thread's own CPU time is what we want and what Node 20 cannot tell. Both of these are at least that: wall time
  // has the time that other processes took, CPU time has V8's helper threads.
  return { ms: Math.min(wall, (user + system) / 1000), parts };
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const versionOf = (name) => require(`${name}/package.json`).version;

say({
  versions: {
    node: process.version,
    ...Object.fromEntries(packages.map((name) => [`@ai-sdk/${name}`, versionOf(`@ai-sdk/${name}`)])),
  },
});
for await (const line of createInterface({ input: process.stdin })) say(await run(JSON.parse(line)));
