// Writing: the message that is being written, and what all values are made of, numbers, strings and bytes.

const CAPACITY = 4096;
/** A buffer grown beyond this is given up after the message. */
const KEPT_CAPACITY = 1 << 20;

let out = new Bytes(CAPACITY);
let capacity = CAPACITY;
let pos = 0;
/** The first objects of a message, for most have few: looking through them is faster than a map. */
const EARLY = 8;
const newEarly = () => {
  const list = newList();
  for (let i = 0; i < EARLY; i++) list[i] = null;
  return list;
};
let early = newEarly();
/** The others. */
let ids = null;
let nextId = 0;
let writeDepth = 0;
/** Who takes what can't be cloned, if the message crosses to another world. @type {Crosser | null} */
let crosser = null;
let portList = null;
let portCount = 0;
let bufferList = null;
let bufferCount = 0;
/** Whether the caller puts in the bytes of Blobs, and those that were met: each followed by where its bytes go, and how many. */
let blobsLater = false;
/** @type {any[] | null} */
let blobList = null;
let writing = false;
/** Where large buffers' bytes go at once, in front of what is in `out`, with what was there before them; and how much is there. @type {Sink | null} */
let sink = null;
let sunk = 0;

/**
 * @typedef {object} Sink what takes a message's bytes in parts. What it throws, `write` throws.
 * @property {(bytes: Uint8Array, size: number, more: number) => void} put takes the first `size` bytes, which change afterwards; at least `more` follow
 * @property {(start: number, stop: number) => void} cut puts aside what it has from `stop` on, and forgets what it has from `start` on
 * @property {() => void} paste adds what it has put aside
 * @property {boolean} [direct] it takes the value's own arrays; otherwise their bytes come by way of `staging`
 */

/**
 * @typedef {object} Crosser the bridge between two worlds of one document
 * @property {number} depth how deep objects may be nested
 * @property {() => never} tooDeep throws
 * @property {(value: unknown) => number} out takes a function, a symbol or an object that has no clone: what kind it is, -1 for none; `id` is then its number
 * @property {number} id
 */

/** From this size on bytes go to the sink. */
const SINK_FROM = 1 << 16;
/** Parts of a large array go to the sink in this one: native code would pin the page's own. A part stays in the processor's cache. */
let staging = null;

/**
 * Views with this many bytes or more of their buffer around them are written without them, if nothing else in the message shows the buffer: a few
 * bytes must not take a whole heap along. HTML would send it all.
 */
const VIEW_REST = 1 << 16;
/** Buffers of which only one view's bytes have been written so far. @type {{ id: number, start: number, stop: number, buffer: ArrayBuffer, tag: number, offset: number, size: number }[]} */
let narrow = null;

/** Of `viewedOut`, which is `out` or was it. */
let outView = null;
let viewedOut = null;

const fail = () => {
  throw cloneError('An object could not be cloned.');
};

const grow = (count) => {
  let size = capacity * 2;
  // One large buffer is mostly all there is: room for twice as much costs time too.
  if (size < pos + count) size = pos + count + CAPACITY;
  const bigger = newBytes === null ? new Bytes(size) : newBytes(size);
  typedSet(bigger, out, 0);
  out = bigger;
  capacity = size;
};

const writeByte = (byte) => {
  if (pos === capacity) grow(1);
  out[pos++] = byte;
};

/** @param {number} value integer below 2^53 */
const writeVarint = (value) => {
  if (pos + 8 > capacity) grow(8);
  while (value > 0x7fffffff) {
    out[pos++] = (value % 128) | 0x80;
    value = (value - (value % 128)) / 128;
  }
  while (value > 127) {
    out[pos++] = (value & 127) | 128;
    value >>>= 7;
  }
  out[pos++] = value;
};

const writeDouble = (value) => {
  if (pos + 8 > capacity) grow(8);
  if (viewedOut !== out) {
    outView = new NewDataView(typedBuffer(out));
    viewedOut = out;
  }
  setDouble.call(outView, pos, value);
  pos += 8;
};

const writeNumber = (value) => {
  const int = value | 0;
  if (int === value && (int !== 0 || objectIs(value, 0))) {
    if (pos + 6 > capacity) grow(6);
    out[pos++] = 0x49; // I
    let bits = ((int << 1) ^ (int >> 31)) >>> 0;
    while (bits > 127) {
      out[pos++] = (bits & 127) | 128;
      bits >>>= 7;
    }
    out[pos++] = bits;
  } else {
    writeByte(0x4e); // N
    writeDouble(value);
  }
};

/** From this length on the engine's own encoders pay for their call. */
const LONG = 256;

const varintSize = (value) => {
  let size = 1;
  while (value >= 128) {
    value = value / 128;
    size++;
  }
  return size;
};

const writeString = (string) => {
  const length = string.length;
  if (pos + length + 10 > capacity) grow(length + 10);
  // Most texts that need two bytes somewhere need them at once.
  if (length >= LONG && charCode.call(string, 0) > 255) {
    writeTwoByte(string, length);
    return;
  }
  const start = pos;
  out[pos++] = 0x22; // "
  writeVarint(length);
  if (length >= LONG && encoder !== null) {
    // UTF-8 of the same length is ASCII.
    let done = null;
    try {
      done = encodeInto(encoder, string, new Bytes(typedBuffer(out), pos, length));
    } catch (error) {
      // Some engines' encoders refuse lone surrogates.
      if (isOverflow(error)) throw error;
    }
    if (done !== null && done.read === length && done.written === length) {
      pos += length;
      return;
    }
  }
  for (let i = 0; i < length; i++) {
    const code = charCode.call(string, i);
    if (code > 255) {
      pos = start;
      writeTwoByte(string, length);
      return;
    }
    out[pos++] = code;
  }
};

const writeTwoByte = (string, length) => {
  const size = length * 2;
  if (pos + size + 12 > capacity) grow(size + 12);
  // Readers may look at the code units in place: they are aligned to two bytes.
  if ((sunk + pos + 1 + varintSize(size)) & 1) out[pos++] = 0;
  out[pos++] = 0x63; // c
  writeVarint(size);
  if (length >= LONG && putTwoByteText !== null) {
    putTwoByteText(out, pos, string);
    pos += size;
    return;
  }
  for (let i = 0; i < length; i++) {
    const code = charCode.call(string, i);
    out[pos++] = code & 255;
    out[pos++] = code >> 8;
  }
};

const hexDigit = (code) => (code > 57 ? code - 87 : code - 48);

/** V8's BigInt: a bit field (sign, length in bytes) and 64-bit digits, least significant first. */
const writeBigInt = (value) => {
  const negative = value < 0n;
  const hex = bigIntToString(negative ? -value : value, 16);
  const digits = value === 0n ? 0 : hex.length;
  const size = ((digits + 15) >> 4) * 8;
  writeVarint(size * 2 + (negative ? 1 : 0));
  if (pos + size > capacity) grow(size);
  const end = pos + size;
  for (let i = digits - 1; i >= 0; i -= 2) {
    out[pos++] = hexDigit(charCode.call(hex, i)) + (i > 0 ? hexDigit(charCode.call(hex, i - 1)) * 16 : 0);
  }
  while (pos < end) out[pos++] = 0;
};

/** Gives the sink what is in `out`. */
const flush = (more) => {
  sink.put(out, pos, more);
  sunk += pos;
  pos = 0;
};

const sinkBytes = (bytes, size) => {
  flush(size);
  sunk += size;
  if (sink.direct === true) {
    sink.put(bytes, size, 0);
    return;
  }
  if (staging === null) staging = new Bytes(SINK_FROM);
  const buffer = typedBuffer(bytes);
  const offset = typedOffset(bytes);
  for (let done = 0; done < size; ) {
    const part = size - done < SINK_FROM ? size - done : SINK_FROM;
    typedSet(staging, new Bytes(buffer, offset + done, part), 0);
    sink.put(staging, part, 0);
    done += part;
  }
};

/** @param {Uint8Array} bytes @param {number} size its length */
const writeBytes = (bytes, size) => {
  if (sink !== null && size >= SINK_FROM) {
    sinkBytes(bytes, size);
    return;
  }
  if (pos + size > capacity) grow(size);
  typedSet(out, bytes, pos);
  pos += size;
};
