// What the SDKs' parsers of unfinished JSON show, for every beginning of a document: the body is the document, and there
// is one item a beginning, shortest first, the empty one and the whole included.

import { partialParse as anthropic } from '@anthropic-ai/sdk/_vendor/partial-json-parser/parser';
import { partialParse as openai } from 'openai/_vendor/partial-json-parser/parser.mjs';

async function aiSdk(text) {
  const { parsePartialJson } = await import('ai'); // here: no other reference is to pay for loading it
  const { state, value } = await parsePartialJson(text);
  if (state !== 'successful-parse' && state !== 'repaired-parse') throw new Error(state);
  return value;
}

const shown = (parse) => async ({ delivery }) => {
  const items = [];
  let beginning = '';
  const document = await (await delivery.fetch()).text();
  for (const character of ['', ...document]) {
    beginning += character;
    try {
      items.push(['shown', { value: await parse(beginning) }]);
    } catch {
      items.push(['failed', {}]);
    }
  }
  return { items };
};

const reference = (parse) => ({ kind: 'frames', contentType: 'application/json', wholeOnly: true, run: shown(parse) });

export const partialJsonReferences = {
  'partial-json.openai': reference(openai),
  'partial-json.anthropic': reference(anthropic),
  'partial-json.ai': reference(aiSdk),
};
