// All references by name. A new one is a row in ai-sdk.mjs or a small file here; see README.md.
//
// A reference is { kind, contentType?, run }:
//   kind  "frames" or "trace": run gives { items: [[type, rest], ...], end? } (end: the error that ended the stream);
//         "final": run gives { final } or { error }
//   run   async ({ delivery, errors }) -> outcome; it catches what its SDK throws and normalises it with `errors`
// where `delivery` (deliver.mjs) hands out the body and `errors` (errors.mjs) normalises what goes wrong.

import { aiSdkReferences } from './ai-sdk.mjs';
import { anthropicMessage } from './anthropic.mjs';
import { chatCompletion } from './openai.mjs';
import { sseFrames } from './sse.mjs';

export const references = {
  sse: sseFrames,
  'openai.chat': chatCompletion,
  anthropic: anthropicMessage,
  ...aiSdkReferences,
};
