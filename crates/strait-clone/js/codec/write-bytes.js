// Writing: the state of the message being written, and the parts of all values: numbers, strings
// and bytes.

const CAPACITY = 4096;
/** A buffer that has grown beyond this size is dropped after the message. */
const KEPT_CAPACITY = 1 << 20;

let out = new Bytes(CAPACITY);
let capacity = CAPACITY;
let pos = 0;
/**
 * The first objects of a message. Most messages have few, for which a linear search is faster than
 * a map.
 */
const EARLY = 8;
const newEarly = () => {
  const list = newList();
  for (let i = 0; i < EARLY; i++) list[i] = null;
  return list;
};
let early = newEarly();
/** The other objects. */
let ids = null;
let nextId = 0;
let writeDepth = 0;
/**
 * The bridge for values that have no clone, if the message crosses to another world.
 * @type {Crosser | null}
 */
let crosser = null;
let portList = null;
let portCount = 0;
let bufferList = null;
let bufferCount = 0;
/**
 * Whether the caller inserts the bytes of Blobs; and the list of Blobs, each followed by the
 * position of its bytes and their number.
 */
let blobsLater = false;
/** @type {any[] | null} */
let blobList = null;
let writing = false;
/**
 * The receiver of large buffers' bytes, and of the bytes before them, which were in `out`; and the
 * number of bytes that it has received.
 * @type {Sink | null}
 */
let sink = null;
let sunk = 0;

/**
 * @typedef {object} Sink receives a message's bytes in parts. `write` throws the errors that it
 *   throws.
 * @property {(bytes: Uint8Array, size: number, more: number) => void} put takes the first `size`
 *   bytes, which change afterwards; at least `more` bytes follow
 * @property {(start: number, stop: number) => void} cut sets the bytes from `stop` on aside, and
 *   discards those from `start` to `stop`
 * @property {() => void} paste appends the bytes that were set aside
 * @property {boolean} [direct] `put` takes the value's own arrays; otherwise their bytes are copied
 *   through `staging`
 */

/**
 * @typedef {object} Crosser the bridge between two worlds of one document
 * @property {number} depth the limit of nested objects
 * @property {() => never} tooDeep throws
 * @property {(value: unknown) => number} out takes a function, a symbol or an object that has no
 *   clone, and returns its kind, or -1 if it cannot cross; `id` is then its number
 * @property {number} id
 */

/** Arrays of this size or more go to the sink. */
const SINK_FROM = 1 << 16;
/**
 * Parts of a large array are copied into this one for the sink, because native code would pin the
 * page's own array. A part fits into the processor's cache.
 */
let staging = null;

/**
 * A view is written without the rest of its buffer if that rest has at least this number of bytes
 * and no other part of the message shows the buffer. A view of a few bytes must not carry a whole
 * heap. HTML's algorithm would send all of it.
 */
const VIEW_REST = 1 << 16;
/**
 * Buffers of which only one view's bytes have been written so far.
 * @type {{ id: number, start: number, stop: number, buffer: ArrayBuffer, tag: number, offset: number, size: number }[]}
 */
let narrow = null;

/** The DataView of `viewedOut`, which is `out` or was it earlier. */
let outView = null;
let viewedOut = null;

const fail = () => {
  throw cloneError('An object could not be cloned.');
};

const grow = (count) => {
  let size = capacity * 2;
  // A large buffer is usually the last part of a message, so room for twice its size would only
  // cost time.
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

/** For strings of this length or more the engine's own encoders are faster. */
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
  // Most texts with two-byte characters begin with one.
  if (length >= LONG && charCode.call(string, 0) > 255) {
    writeTwoByte(string, length);
    return;
  }
  const start = pos;
  out[pos++] = 0x22; // "
  writeVarint(length);
  if (length >= LONG && encoder !== null) {
    // UTF-8 with as many bytes as the text has characters is ASCII.
    let done = null;
    try {
      done = encodeInto(encoder, string, new Bytes(typedBuffer(out), pos, length));
    } catch (error) {
      // The encoders of some engines refuse lone surrogates.
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
  // The code units are aligned to two bytes, because readers may use them in place.
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

/**
 * Writes V8's form of a BigInt: a bit field (sign, length in bytes) and 64-bit digits, least
 * significant first.
 */
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

/** Passes the content of `out` to the sink. */
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
