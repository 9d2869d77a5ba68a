// Everything in this process that could differ between two runs is pinned here. Import this module before any SDK:
// several of them keep a reference to what they find at load time.

import crypto from 'node:crypto';
import net from 'node:net';

const PINNED_TIME = Date.UTC(2025, 0, 1);
const RANDOM_SEED = 0x9e3779b9;

let randomState = RANDOM_SEED;
let uuidCount = 0;
let generatedCount = 0;

/** Puts every pinned source back to its start. Called before each run, so that no run sees how many came before it. */
export function resetPins() {
  randomState = RANDOM_SEED;
  uuidCount = 0;
  generatedCount = 0;
}

/** A `generateId` for the providers that take one as an option. */
export const generateId = () => `generated-${generatedCount++}`;

// mulberry32: a small generator with a 32-bit state; the AI SDK's module-level generateId draws from Math.random.
function nextRandom() {
  randomState = (randomState + 0x6d2b79f5) | 0;
  let mixed = Math.imul(randomState ^ (randomState >>> 15), 1 | randomState);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

const nextUuid = () => `00000000-0000-4000-8000-${String((uuidCount += 1)).padStart(12, '0')}`;

function fillRandom(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Math.floor(nextRandom() * 256);
  return array;
}

function pinRandomness() {
  Math.random = nextRandom;
  crypto.randomUUID = nextUuid;
  for (const [name, value] of [['randomUUID', nextUuid], ['getRandomValues', fillRandom]]) {
    Object.defineProperty(globalThis.crypto, name, { value, configurable: true, writable: true });
  }
}

function pinClock() {
  const RealDate = globalThis.Date;
  // Only "now" is pinned: dates made from wire values stay what they are. The name stays "Date" for code that looks.
  const PinnedDate = class Date extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [PINNED_TIME] : args));
    }

    static now() {
      return PINNED_TIME;
    }
  };
  globalThis.Date = PinnedDate;
}

// An SDK that reads OPENAI_BASE_URL or HTTPS_PROXY would give other goldens on another machine.
function pinEnvironment() {
  const kept = new Set(['PATH', 'HOME', 'TMPDIR']);
  for (const name of Object.keys(process.env)) if (!kept.has(name)) delete process.env[name];
  process.env.TZ = 'UTC';
}

function forbidNetwork() {
  const refuse = () => {
    throw new Error('the oracle opens no sockets');
  };
  globalThis.fetch = refuse;
  net.Socket.prototype.connect = refuse;
}

// stdout carries the protocol; SDK chatter must not reach it.
function silenceConsole() {
  for (const name of ['log', 'info', 'debug', 'warn', 'error', 'trace']) console[name] = () => {};
}

pinRandomness();
pinClock();
pinEnvironment();
forbidNetwork();
silenceConsole();
