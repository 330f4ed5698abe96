// Reading: one message; and the codec's interface.

/**
 * Reads a value that `write`, the Rust side or V8 wrote. `bytes` is not kept.
 * @param {Uint8Array} bytes
 * @param {number} length the length of the message in bytes
 * @param {object[]} [ports] the ports of the message
 * @param {(start: number, size: number) => Uint8Array} [source] for a message longer than `bytes`:
 *   returns an array that begins with the message's `size` bytes from `start` on. The array that it
 *   returned before may change then
 * @param {any[] | null} [blobs] `codec.blobs` of a `write` in this realm, whose message is read
 *   without the Blobs' bytes: the value gets those Blobs
 * @param {((start: number, size: number) => ArrayBuffer | undefined) | undefined} [maker] for a
 *   message longer than `bytes`: may return a new buffer with exactly these bytes of the message
 * @param {((kind: number, id: number) => unknown) | undefined} [across] returns the value that
 *   another world of this document sent under this kind and number; runs no code of the page
 * @returns {unknown}
 * @throws {TypeError} if the input is not a structured clone; the caller emits `messageerror`
 */
const read = (bytes, length, ports, source, blobs, maker, across) => {
  if (bytes !== known) {
    knownBuffer = typedBuffer(bytes);
    knownOffset = typedOffset(bytes);
    knownSize = typedSize(bytes);
    known = bytes;
  }
  input = bytes;
  inputBuffer = knownBuffer;
  inputOffset = knownOffset;
  at = 0;
  end = length < knownSize ? length : knownSize;
  base = 0;
  pending = source === undefined ? 0 : length - end;
  pull = source === undefined ? null : source;
  take = maker === undefined ? null : maker;
  depth = 0;
  objectCount = 0;
  crossed = across === undefined ? null : across;
  readPorts = ports;
  readPortCount = ports === undefined || ports === null ? 0 : ports.length;
  readBlobs = blobs === undefined ? null : blobs;
  readBlobCount = 0;
  arraysOrdinary = getPrototypeOf(ArrayProto) === ObjectProto;
  try {
    if (readByte() !== 0xff) bad('there is no header');
    version = readVarint();
    if (version < OLDEST_VERSION || version > VERSION) bad(`version ${version} is not supported`);
    const value = readValue();
    if (at !== end || pending > 0) bad('there is something behind the value');
    return value;
  } finally {
    resizables = null;
    if (objectCount > EARLY) objects.length = 0;
    for (let i = 0; i < objectCount && i < EARLY; i++) objects[i] = undefined;
    crossed = null;
    readPorts = null;
    readBlobs = null;
    inputBuffer = null;
    pull = null;
    take = null;
    input = out;
    if (knownSize > WINDOW) known = knownBuffer = inputView = viewedInput = null;
  }
};

const codec = createObject(null);
codec.buffer = out;
codec.sunk = 0;
codec.blobs = null;
codec.write = write;
codec.read = read;
codec.detach = detach;
return codec;
