// AWS event-stream framing alone: the codec of the AWS SDK, which checks both checksums and reads the headers.

import { EventStreamCodec } from '@smithy/eventstream-codec';

const LENGTH_BYTES = 4;
const codec = new EventStreamCodec((bytes) => Buffer.from(bytes).toString('utf8'), (text) => Buffer.from(text, 'utf8'));

function header({ type, value }) {
  switch (type) {
    case 'long': return Number(value.valueOf());
    case 'timestamp': return value.getTime();
    case 'binary': return Buffer.from(value).toString('base64');
    default: return value;
  }
}

function frame({ headers, body }) {
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, header(value)]));
  const bytes = Buffer.from(body);
  const text = bytes.toString('utf8');
  const payload = bytes.equals(Buffer.from(text, 'utf8')) ? { data: text } : { data_base64: bytes.toString('base64') };
  return ['frame', { headers: named, ...payload }];
}

async function run({ delivery }) {
  const items = [];
  const response = await delivery.fetch();
  let pending = Buffer.alloc(0);
  for await (const bytes of response.body) {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= LENGTH_BYTES && pending.length >= pending.readUInt32BE(0)) {
      const length = pending.readUInt32BE(0);
      try {
        items.push(frame(codec.decode(pending.subarray(0, length))));
      } catch (error) {
        const kind = /checksum/.test(error.message) ? 'frame_crc' : 'frame_length';
        return { items, end: { kind, stage: 'stream' } };
      }
      pending = pending.subarray(length);
    }
  }
  return pending.length === 0 ? { items } : { items, end: { kind: 'incomplete_stream', stage: 'close' } };
}

export const eventStreamFrames = { kind: 'frames', contentType: 'application/vnd.amazon.eventstream', run };
