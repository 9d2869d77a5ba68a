// The provider's own SDK for Gemini: it has no accumulator, so its final state is the list of chunks it yields.
//
// Its framer gives other results for other cuts of some malformed bodies, so it is run on whole bodies only.

import { GoogleGenAI } from '@google/genai';

import { elementsAsEvents } from '../deliver.mjs';

const chunksOf = ({ wrap = (fetch) => fetch, ...options } = {}) => ({
  kind: 'final',
  wholeOnly: true,
  run: async ({ delivery }) => {
    const ai = new GoogleGenAI({ apiKey: 'unused', httpOptions: { fetch: wrap(delivery.fetch) }, ...options });
    const chunks = [];
    try {
      for await (const chunk of await ai.models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'x' })) {
        const { sdkHttpResponse: _, ...said } = chunk; // the headers of the response
        chunks.push(said);
      }
      return { final: { chunks } };
    } catch (error) {
      const kind = error?.status === undefined ? 'state' : 'provider';
      return { error: { kind, stage: delivery.stage(chunks.length > 0) } };
    }
  },
});

export const gemini = chunksOf();
export const geminiArray = chunksOf({ wrap: elementsAsEvents });
export const vertexGemini = chunksOf({ vertexai: true });
