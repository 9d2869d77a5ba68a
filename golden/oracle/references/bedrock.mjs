// The AWS SDK for Bedrock: it has no accumulator, so its final state is the list of events it yields.

import { Readable } from 'node:stream';

import {
  BedrockRuntimeClient, ConverseStreamCommand, InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';

const CONTENT_TYPE = 'application/vnd.amazon.eventstream';

/** An HTTP handler as the AWS SDK wants it, which answers with the delivery. */
const handlerOf = (delivery) => ({
  handle: async () => {
    const response = await delivery.fetch();
    const body = Readable.fromWeb(response.body);
    return { response: { statusCode: 200, headers: { 'content-type': CONTENT_TYPE }, body } };
  },
  destroy() {},
  updateHttpClientConfig() {},
  httpHandlerConfigs: () => ({}),
});

const isModelled = (error) => error?.$fault !== undefined;

const eventsOf = (command, stream, read) => ({
  kind: 'final',
  contentType: CONTENT_TYPE,
  run: async ({ delivery }) => {
    const client = new BedrockRuntimeClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
      maxAttempts: 1,
      requestHandler: handlerOf(delivery),
    });
    const events = [];
    try {
      const output = await client.send(command());
      for await (const event of output[stream]) events.push(read(event));
      return { final: { events } };
    } catch (error) {
      return { error: { kind: isModelled(error) ? 'provider' : 'state', stage: delivery.stage(events.length > 0) } };
    }
  },
});

export const converse = eventsOf(
  () => new ConverseStreamCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'x' }] }] }),
  'stream',
  (event) => event,
);

const text = new TextDecoder();
export const invoke = eventsOf(
  () => new InvokeModelWithResponseStreamCommand({ modelId: 'm', body: '{}' }),
  'body',
  ({ chunk, ...rest }) => (chunk ? JSON.parse(text.decode(chunk.bytes)) : rest),
);
