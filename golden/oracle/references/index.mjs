// All references by name. A new one is a row in ai-sdk.mjs or a small file here; see README.md.
//
// A reference is { kind, contentType?, wholeOnly?, run }:
//   kind  "frames" or "trace": run gives { items: [[type, rest], ...], end? } (end: the error that ended the stream);
//         "final": run gives { final } or { error }
//   wholeOnly  the SDK's output depends on the cuts, so it is run on the whole body alone
//   run   async ({ delivery, errors }) -> outcome; it catches what its SDK throws and normalises it with `errors`
// where `delivery` (deliver.mjs) hands out the body and `errors` (errors.mjs) normalises what goes wrong.

import { aiSdkReferences } from './ai-sdk.mjs';
import { anthropicMessage } from './anthropic.mjs';
import { converse, invoke } from './bedrock.mjs';
import { eventStreamFrames } from './eventstream.mjs';
import { gemini, geminiArray, vertexGemini } from './genai.mjs';
import { ollamaChunks } from './ollama.mjs';
import { chatCompletion, completion, response } from './openai.mjs';
import { partialJsonReferences } from './partial-json.mjs';
import { sseFrames } from './sse.mjs';

export const references = {
  sse: sseFrames,
  eventstream: eventStreamFrames,
  'openai.chat': chatCompletion,
  'openai.responses': response,
  'openai.completion': completion,
  anthropic: anthropicMessage,
  genai: gemini,
  'genai.array': geminiArray,
  'genai.vertex': vertexGemini,
  'bedrock.sdk': converse,
  'bedrock.invoke.sdk': invoke,
  ollama: ollamaChunks,
  ...aiSdkReferences,
  ...partialJsonReferences,
};
