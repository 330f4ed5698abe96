// Reading: the state of the message being read, and the parts of all values: numbers, strings and
// bytes.

/**
 * The array that was read last, unless it is large, because the next message is usually in the same
 * one. Its owner does not detach it.
 */
let known = null;
let knownBuffer = null;
let knownOffset = 0;
let knownSize = 0;
let input = out;
let inputBuffer = null;
let inputOffset = 0;
/** The DataView of `viewedInput`, which is `input` or was it earlier. */
let inputView = null;
let viewedInput = null;
let at = 0;
let end = 0;
/**
 * For a long message, which is read in parts: the position of `input` in it, the number of bytes
 * after `input`, and the function that returns the next part.
 */
let base = 0;
let pending = 0;
/** @type {((start: number, size: number) => Uint8Array) | null} */
let pull = null;
/**
 * Makes ArrayBuffers from a long message, for all but small ones.
 * @type {((start: number, size: number) => ArrayBuffer | undefined) | null}
 */
let take = null;
let version = VERSION;
let depth = 0;
/**
 * Returns the value that crossed from another world.
 * @type {((kind: number, id: number) => unknown) | null}
 */
let crossed = null;
let readPorts = null;
let readPortCount = 0;
/**
 * The list of Blobs that `write` made, and the number of entries that have been used.
 * @type {any[] | null}
 */
let readBlobs = null;
let readBlobCount = 0;
/** The buffers that were resizable in their original realm. */
let resizables = null;
let objectCount = 0;
const objects = newList();
/**
 * Whether `Array.prototype` inherits from `Object.prototype` only. In that case `in` finds every
 * setter.
 */
let arraysOrdinary = true;

const bad = (what) => {
  throw new BadInput(`invalid structured clone at byte ${base + at}: ${what}`);
};

/** Ensures that the next `size` bytes are in `input`. */
const need = (size, what) => {
  const had = end - at;
  if (size <= had) return;
  if (size > had + pending) bad(what);
  const left = had + pending;
  const part = size > WINDOW ? size : left < WINDOW ? left : WINDOW;
  base += at;
  input = pull(base, part);
  inputBuffer = typedBuffer(input);
  inputOffset = typedOffset(input);
  at = 0;
  end = part;
  pending = left - part;
};
/**
 * The size in which parts of a long message are requested, in bytes. A part fits into the
 * processor's cache.
 */
const WINDOW = 1 << 16;

const readByte = () => {
  if (at >= end) need(1, 'it ends early');
  return input[at++];
};

/** @returns {number} below 2^56; exact below 2^53 */
const readLongVarint = () => {
  let byte = readByte();
  let value = byte & 127;
  let scale = 128;
  // Encoders may pad with empty groups, but the number of groups is limited.
  for (let groups = 1; byte > 127; groups++) {
    if (groups === 8) bad('a number is too long');
    byte = readByte();
    value += (byte & 127) * scale;
    scale *= 128;
  }
  return value;
};

/** @returns {number} below 2^32 */
const readVarint = () => {
  if (at < end && input[at] < 128) return input[at++];
  const value = readLongVarint();
  return value > 0xffffffff ? bad('an integer is too large') : value;
};

const readDouble = () => {
  if (end - at < 8) need(8, 'it ends early');
  if (viewedInput !== input) {
    inputView = new NewDataView(inputBuffer, inputOffset);
    viewedInput = input;
  }
  at += 8;
  return getDouble.call(inputView, at - 8);
};

const readZigZag = () => {
  const bits = readVarint();
  return ((bits >>> 1) ^ -(bits & 1)) | 0;
};

/** Arguments for long strings. The own `length` limits the arguments of `fromCharCode`. */
const CHUNK = 2048;
const codes = newList();

const flushCodes = (count) => {
  codes.length = count;
  const text = apply(fromCharCode, undefined, codes);
  codes.length = 0;
  return text;
};

/** Decodes the next `size` bytes as a whole; undefined if they are not well-formed. */
const decodeLong = (decoder, size) => {
  try {
    return decode(decoder, new Bytes(inputBuffer, inputOffset + at, size));
  } catch {
    return undefined;
  }
};

/** For strings of this length or more the host's own function is faster. */
const NATIVE_FROM = 16;

const readOneByte = (length) => {
  if (length > end - at) need(length, 'a string is longer than the input');
  if (length >= LONG && utf8Decoder !== null) {
    const decoded = decodeLong(utf8Decoder, length);
    // UTF-8 with as many characters as bytes is ASCII.
    if (decoded !== undefined && decoded.length === length) {
      at += length;
      return decoded;
    }
  }
  if (length >= NATIVE_FROM && oneByteText !== null) {
    at += length;
    return oneByteText(input, at - length, at);
  }
  let text = '';
  let left = length;
  while (left > 64) {
    const count = left < CHUNK ? left : CHUNK;
    for (let i = 0; i < count; i++) codes[i] = input[at++];
    text += flushCodes(count);
    left -= count;
  }
  while (left >= 8) {
    text += fromCharCode(
      input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4], input[at + 5], input[at + 6], input[at + 7],
    );
    at += 8;
    left -= 8;
  }
  switch (left) {
    case 7:
      text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4], input[at + 5], input[at + 6]);
      break;
    case 6:
      text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4], input[at + 5]);
      break;
    case 5:
      text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4]);
      break;
    case 4:
      text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3]);
      break;
    case 3:
      text += fromCharCode(input[at], input[at + 1], input[at + 2]);
      break;
    case 2:
      text += fromCharCode(input[at], input[at + 1]);
      break;
    case 1:
      text += fromCharCode(input[at]);
      break;
  }
  at += left;
  return text;
};

const readTwoByte = (size) => {
  if (size > end - at) need(size, 'a string is longer than the input');
  if (size & 1) bad('a two-byte string of odd length');
  if (size >= LONG && utf16Decoder !== null) {
    const decoded = decodeLong(utf16Decoder, size);
    if (decoded !== undefined && decoded.length === size / 2) {
      at += size;
      return decoded;
    }
  }
  let text = '';
  let left = size / 2;
  while (left > 0) {
    const count = left < CHUNK ? left : CHUNK;
    for (let i = 0; i < count; i++) {
      codes[i] = input[at] | (input[at + 1] << 8);
      at += 2;
    }
    text += flushCodes(count);
    left -= count;
  }
  return text;
};

/** Reads UTF-8, with U+FFFD for every malformed part, as in the Encoding Standard. */
const readUtf8 = (size) => {
  if (size > end - at) need(size, 'a string is longer than the input');
  const stop = at + size;
  let text = '';
  let count = 0;
  while (at < stop) {
    const lead = input[at++];
    let code = lead;
    let more = 0;
    let low = 0x80;
    let high = 0xbf;
    if (lead >= 0x80) {
      if (lead >= 0xc2 && lead <= 0xdf) {
        more = 1;
        code = lead & 0x1f;
      } else if (lead >= 0xe0 && lead <= 0xef) {
        more = 2;
        code = lead & 0x0f;
        if (lead === 0xe0) low = 0xa0;
        if (lead === 0xed) high = 0x9f;
      } else if (lead >= 0xf0 && lead <= 0xf4) {
        more = 3;
        code = lead & 0x07;
        if (lead === 0xf0) low = 0x90;
        if (lead === 0xf4) high = 0x8f;
      } else {
        code = 0xfffd;
      }
    }
    while (more > 0) {
      if (at >= stop || input[at] < low || input[at] > high) {
        code = 0xfffd;
        break;
      }
      code = (code << 6) | (input[at++] & 0x3f);
      low = 0x80;
      high = 0xbf;
      more--;
    }
    if (code > 0xffff) {
      codes[count++] = 0xd800 + ((code - 0x10000) >> 10);
      codes[count++] = 0xdc00 + ((code - 0x10000) & 0x3ff);
    } else {
      codes[count++] = code;
    }
    if (count >= CHUNK) {
      text += flushCodes(count);
      count = 0;
    }
  }
  return count > 0 ? text + flushCodes(count) : text;
};

const HEX = '0123456789abcdef';

const readBigInt = () => {
  const bits = readVarint();
  const size = (bits - (bits % 2)) / 2;
  if (size > end - at) need(size, 'a BigInt is longer than the input');
  if (toBigInt === null) bad('this engine has no BigInt');
  let hex = '0x0';
  for (let i = at + size - 1; i >= at; i--) hex += HEX[input[i] >> 4] + HEX[input[i] & 15];
  at += size;
  const value = toBigInt(hex);
  return bits % 2 === 1 ? -value : value;
};

/**
 * A new Uint8Array with the next `size` bytes. It must not refer to the input, because the caller
 * uses that again.
 */
const copyOut = (size) => {
  if (size > end - at + pending) bad('a buffer is longer than the input');
  const copy = new Bytes(size);
  let done = 0;
  do {
    if (at === end && size > 0) need(1, '');
    const part = size - done < end - at ? size - done : end - at;
    typedSet(copy, new Bytes(inputBuffer, inputOffset + at, part), done);
    at += part;
    done += part;
  } while (done < size);
  return copy;
};

/**
 * A part of a long message is requested by a separate call if it has at least this number of bytes.
 */
const TAKEN_FROM = 1 << 16;

/** A new ArrayBuffer with the next `size` bytes. */
const bufferOut = (size) => {
  if (take === null || size < TAKEN_FROM) return typedBuffer(copyOut(size));
  const had = end - at;
  if (size > had + pending) bad('a buffer is longer than the input');
  const taken = take(base + at, size);
  if (taken === undefined) return typedBuffer(copyOut(size));
  if (size <= had) {
    at += size;
  } else {
    base += at + size;
    pending -= size - had;
    at = end = 0;
  }
  return taken;
};
