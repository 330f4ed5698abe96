// Writing: one message.

/**
 * Writes `value`; the bytes are then in `codec.buffer`, from 0 to the returned length, until the next `write`.
 * @param {unknown} value
 * @param {object[]} [ports] the ports being transferred: occurrences in the value become references to them
 * @param {ArrayBuffer[]} [buffers] the buffers being transferred: checked here, detached by `detach`
 * @param {boolean} [later] Blobs may be left without their bytes: `codec.blobs`, null if there are none, then has each, followed by the place where its
 *   bytes, and a zero if their number is odd, must be put in before anybody can read the message, and by their number. Otherwise they are read at
 *   once where the host can, and else refused
 * @param {Sink} [given] takes large buffers' bytes and what is in front of them: the first `codec.sunk` bytes, so that `codec.buffer` has only the others
 * @param {Crosser} [across] the message is for another world of this document
 * @returns {number} how many bytes there are, both together
 */
const write = (value, ports, buffers, later, given, across) => {
  const transferred = buffers === undefined || buffers === null ? 0 : buffers.length;
  for (let i = 0; i < transferred; i++) {
    if (!has(bufferSize, buffers[i]) || !isDetachable(buffers[i])) fail();
  }
  // A getter in the value that posts something itself gets here while an outer value is half written.
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
    // A getter may have detached what was fine before.
    for (let i = 0; i < transferred; i++) {
      if (isDetached(buffers[i])) fail();
    }
    return sunk + pos;
  } catch (error) {
    // Called with little stack left: the value has no clone here and now.
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
