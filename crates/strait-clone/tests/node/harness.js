/**
 * What the scripts in this folder share: the codec, V8's own serialiser as oracle, a comparison that also sees sharing, and reports.
 */
'use strict';

const fs = require('node:fs');
const util = require('node:util');
const v8 = require('node:v8');

/** The test program says where it has put the codec together. */
const SOURCE = fs.readFileSync(process.argv[2], 'utf8');

class CloneError extends Error {}

/** A stand-in for a port: the codec asks only `env.isPort`. */
class Port {}

/** Makes a codec in this realm. @param {object} [more] further parts of `env` */
const makeCodec = (more) =>
  (0, eval)(SOURCE)({ cloneError: (message) => new CloneError(message), isPort: (value) => value instanceof Port, ...more });

/** @returns {Buffer} what the codec writes */
const encode = (codec, value, ports, buffers) => {
  const length = codec.write(value, ports, buffers);
  return Buffer.from(codec.buffer.slice(0, length));
};

const decode = (codec, bytes, ports) => codec.read(new Uint8Array(bytes), bytes.length, ports);

/** @returns {Buffer} what V8 writes. (`v8.serialize` would write views as host objects of Node's own.) */
const v8Encode = (value) => {
  const serializer = new v8.Serializer();
  serializer._getDataCloneError = CloneError;
  serializer._getSharedArrayBufferId = () => {
    throw new CloneError('shared');
  };
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
};

const v8Decode = (bytes) => {
  // V8 reads buffers in place where it can: give it its own copy.
  const deserializer = new v8.Deserializer(Buffer.from(bytes));
  deserializer.readHeader();
  return deserializer.readValue();
};

/** Why `a` and `b` differ, or undefined. Strict: classes, descriptors, -0, holes, property order, and which parts are the same object. */
const difference = (a, b, at = 'value', seen = new Map()) => {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
    return Object.is(a, b) ? undefined : `${at}: ${util.inspect(a)} is not ${util.inspect(b)}`;
  }
  if (seen.has(a)) return seen.get(a) === b ? undefined : `${at}: shares another object`;
  seen.set(a, b);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${at}: ${util.inspect(a)} and ${util.inspect(b)} have other prototypes`;
  const tag = Object.prototype.toString.call(a);
  if (tag !== Object.prototype.toString.call(b)) return `${at}: ${tag}`;
  const parts = [];
  if (a instanceof Map || a instanceof Set) {
    parts.push([[...a], [...b], 'entries']);
  } else if (a instanceof Date || a instanceof Number || a instanceof Boolean || a instanceof String || a instanceof BigInt) {
    parts.push([a.valueOf(), b.valueOf(), 'primitive']);
  } else if (a instanceof RegExp) {
    parts.push([`${a}${a.lastIndex}`, `${b}${b.lastIndex}`, 'pattern']);
  } else if (a instanceof ArrayBuffer) {
    parts.push([Buffer.from(a).toString('hex'), Buffer.from(b).toString('hex'), 'bytes']);
    parts.push([a.resizable, b.resizable, 'resizable'], [a.maxByteLength, b.maxByteLength, 'limit']);
  } else if (ArrayBuffer.isView(a)) {
    parts.push([a.byteOffset, b.byteOffset, 'offset'], [a.byteLength, b.byteLength, 'length'], [a.buffer, b.buffer, 'buffer']);
  } else if (a instanceof Error) {
    parts.push([a.stack, b.stack, 'stack'], [a.message, b.message, 'message'], [a.cause, b.cause, 'cause'], ['cause' in a, 'cause' in b, 'has cause']);
  } else if (Array.isArray(a)) {
    parts.push([a.length, b.length, 'length']);
  }
  if (!ArrayBuffer.isView(a)) {
    const keys = Object.keys(a);
    const others = Object.keys(b);
    if (keys.join() !== others.join()) return `${at}: keys ${keys} and ${others}`;
    for (const key of keys) {
      const { value, get, ...flags } = Object.getOwnPropertyDescriptor(a, key);
      const { value: other, get: otherGet, ...otherFlags } = Object.getOwnPropertyDescriptor(b, key);
      if (!get && !otherGet && JSON.stringify(flags) !== JSON.stringify(otherFlags)) return `${at}.${key}: other attributes`;
      parts.push([get ? a[key] : value, otherGet ? b[key] : other, key]);
    }
  }
  for (const [x, y, name] of parts) {
    const found = difference(x, y, `${at}.${name}`, seen);
    if (found) return found;
  }
  return undefined;
};

let failures = 0;
let passed = 0;

/** Runs one check: it throws, or returns what is wrong. */
const check = (name, body) => {
  let wrong;
  try {
    wrong = body();
  } catch (error) {
    wrong = error && error.stack ? error.stack : String(error);
  }
  if (wrong) {
    failures++;
    console.log(`FAILED ${name}: ${wrong}`);
  } else {
    passed++;
  }
};

/** `undefined` if `body` throws a CloneError, else what happened. */
const refuses = (body) => {
  try {
    body();
  } catch (error) {
    return error instanceof CloneError ? undefined : `threw ${error && error.stack}`;
  }
  return 'did not throw';
};

const finish = () => {
  console.log(`${passed} passed, ${failures} failed`);
  process.exitCode = failures ? 1 : 0;
};

module.exports = { SOURCE, CloneError, Port, makeCodec, encode, decode, v8Encode, v8Decode, difference, check, refuses, finish };
