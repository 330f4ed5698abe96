// Writing: one message.

/**
 * Writes `value`. The bytes are then in `codec.buffer`, from 0 to the returned length, until the
 * next `write`.
 * @param {unknown} value
 * @param {object[]} [ports] the transferred ports: where they occur in the value, references to
 *   them are written
 * @param {ArrayBuffer[]} [buffers] the transferred buffers: checked here, detached by `detach`
 * @param {boolean} [later] Blobs may be left without their bytes. `codec.blobs`, null without
 *   Blobs, then lists each Blob, the position of its bytes and their number. The caller must insert
 *   the bytes, and a zero byte if their number is odd, before the message is read. Without `later`,
 *   Blobs are read at once if the host can do that, and refused otherwise
 * @param {Sink} [given] receives large buffers' bytes and the bytes before them: the first
 *   `codec.sunk` bytes of the message, so `codec.buffer` has only the rest
 * @param {Crosser} [across] set if the message is for another world of this document
 * @returns {number} the length of the message in bytes, including those that the sink has
 */
const write = (value, ports, buffers, later, given, across) => {
  const transferred = buffers === undefined || buffers === null ? 0 : buffers.length;
  for (let i = 0; i < transferred; i++) {
    if (!has(bufferSize, buffers[i]) || !isDetachable(buffers[i])) fail();
  }
  // A getter in the value may post a message itself, while the outer value is partly written.
  const nested = writing;
  const savedOut = out;
  const savedCapacity = capacity;
  const savedPos = pos;
  const savedEarly = early;
  const savedIds = ids;
  const savedNextId = nextId;
  const savedDepth = writeDepth;
  const savedCrosser = crosser;
  const savedPorts = portList;
  const savedPortCount = portCount;
  const savedBuffers = bufferList;
  const savedBufferCount = bufferCount;
  const savedNarrow = narrow;
  const savedSink = sink;
  const savedSunk = sunk;
  const savedLater = blobsLater;
  const savedBlobs = blobList;
  if (nested || capacity > KEPT_CAPACITY) {
    out = new Bytes(CAPACITY);
    capacity = CAPACITY;
    outView = viewedOut = null;
  }
  if (nested) early = newEarly();
  writing = true;
  ids = null;
  nextId = 0;
  writeDepth = 0;
  crosser = across === undefined ? null : across;
  portList = ports;
  portCount = ports === undefined || ports === null ? 0 : ports.length;
  bufferList = buffers;
  bufferCount = transferred;
  narrow = null;
  sink = given === undefined ? null : given;
  sunk = 0;
  blobsLater = later === true;
  blobList = null;
  out[0] = 0xff;
  out[1] = VERSION;
  pos = 2;
  try {
    writeValue(value);
    codec.buffer = out;
    codec.sunk = sunk;
    codec.blobs = blobList;
    // A getter may have detached a buffer since the first check.
    for (let i = 0; i < transferred; i++) {
      if (isDetached(buffers[i])) fail();
    }
    return sunk + pos;
  } catch (error) {
    // Without enough stack left, the value cannot be cloned.
    if (isOverflow(error)) fail();
    throw error;
  } finally {
    writing = nested;
    for (let i = 0; i < nextId && i < EARLY; i++) early[i] = null;
    early = savedEarly;
    ids = savedIds;
    nextId = savedNextId;
    writeDepth = savedDepth;
    crosser = savedCrosser;
    portList = savedPorts;
    portCount = savedPortCount;
    bufferList = savedBuffers;
    bufferCount = savedBufferCount;
    narrow = savedNarrow;
    sink = savedSink;
    sunk = savedSunk;
    blobsLater = savedLater;
    blobList = savedBlobs;
    if (nested) {
      out = savedOut;
      capacity = savedCapacity;
      pos = savedPos;
    }
  }
};

/**
 * Detaches transferred buffers, after their message has been posted.
 * @param {ArrayBuffer[]} buffers
 */
const detach = (buffers) => {
  for (let i = 0; i < buffers.length; i++) {
    if (detachByHost !== null) {
      detachByHost(buffers[i]);
    } else if (bufferTransfer !== null) {
      bufferTransfer(buffers[i]);
    } else if (cloneNatively !== null) {
      const options = createObject(null);
      options.transfer = [buffers[i]];
      cloneNatively(undefined, options);
    } else {
      throw cloneError('An ArrayBuffer could not be detached.');
    }
  }
};
