// Writing: buffers and their views.

const isDetached = (buffer) => {
  if (bufferDetached) return bufferDetached(buffer);
  if (bufferSize(buffer) !== 0) return false;
  try {
    new Bytes(buffer);
    return false;
  } catch {
    return true;
  }
};

/**
 * Whether the buffer is not detached and can be. The buffer of a WebAssembly memory cannot. That is
 * tested by a transfer to a size that no engine can allocate: JavaScriptCore checks first whether
 * the buffer can be detached. V8 checks the size first, so the test finds nothing there.
 */
const isDetachable = (buffer) => {
  if (isDetached(buffer)) return false;
  if (!hasMemories || bufferTransfer === null) return true;
  try {
    bufferTransfer(buffer, 0x1fffffffffffff);
  } catch (error) {
    return getPrototypeOf(error) === RangeErrorProto;
  }
  return true;
};

const writeBuffer = (value) => {
  if (isDetached(value)) fail();
  const size = bufferSize(value);
  if (isResizable(value)) {
    writeByte(0x7e); // ~
    writeVarint(size);
    writeVarint(bufferMaxSize(value));
  } else {
    writeByte(0x42); // B
    writeVarint(size);
  }
  writeBytes(new Bytes(value), size);
};

const isResizable = (buffer) => bufferResizable !== null && bufferResizable(buffer);

const isTransferred = (buffer) => {
  for (let i = 0; i < bufferCount; i++) if (bufferList[i] === buffer) return true;
  return false;
};

const writeViewPart = (tag, offset, size, flags) => {
  writeByte(0x56); // V
  writeByte(tag);
  writeVarint(offset);
  writeVarint(size);
  writeVarint(flags);
};

/** Writes a view with its own bytes alone, as if they were the whole buffer. */
const writeNarrow = (view, buffer, tag, offset, size) => {
  const id = nextId;
  assignId(buffer);
  const start = sunk + pos;
  writeByte(0x42); // B
  writeVarint(size);
  writeBytes(new Bytes(buffer, offset, size), size);
  assignId(view);
  writeViewPart(tag, 0, size, 0);
  const record = createObject(null);
  record.id = id;
  record.start = start;
  record.stop = sunk + pos;
  record.buffer = buffer;
  record.tag = tag;
  record.offset = offset;
  record.size = size;
  if (narrow === null) narrow = newList();
  narrow[narrow.length] = record;
};

/**
 * Called when the message shows buffer `id` again. If the buffer was written in part, it is written
 * whole in its old position.
 */
const widen = (id) => {
  let which = 0;
  while (which < narrow.length && narrow[which].id !== id) which++;
  if (which === narrow.length) return;
  const { start, stop, buffer, tag, offset, size } = narrow[which];
  for (let i = which + 1; i < narrow.length; i++) narrow[i - 1] = narrow[i];
  narrow.length--;
  const length = sunk + pos - stop;
  let tail = null;
  if (start < sunk) {
    flush(0);
    sink.cut(start, stop);
    sunk = start;
  } else {
    tail = new Bytes(length);
    typedSet(tail, new Bytes(typedBuffer(out), stop - sunk, length), 0);
    pos = start - sunk;
  }
  // Later two-byte strings are aligned and must stay so.
  const total = bufferSize(buffer);
  if ((varintSize(total) + total + varintSize(offset) - varintSize(size) - size - 1) & 1) writeByte(0);
  writeBuffer(buffer);
  writeViewPart(tag, offset, size, 0);
  const shift = sunk + pos - stop;
  for (let i = 0; i < narrow.length; i++) {
    if (narrow[i].start > start) {
      narrow[i].start += shift;
      narrow[i].stop += shift;
    }
  }
  for (let i = 1; blobList !== null && i < blobList.length; i += 3) if (blobList[i] > start) blobList[i] += shift;
  if (tail !== null) {
    if (pos + length > capacity) grow(length);
    typedSet(out, tail, pos);
    pos += length;
  } else {
    flush(0);
    sink.paste();
    sunk += length;
  }
  if (narrow.length === 0) narrow = null;
};

/**
 * Writes a view directly after its buffer or the reference to it. The whole buffer is written,
 * unless `VIEW_REST` permits less.
 */
const writeView = (value) => {
  const name = typedTag(value);
  const typed = name !== undefined;
  const entry = VIEW_NAMES[typed ? name : 'DataView'];
  if (entry === undefined) fail();
  const buffer = typed ? typedBuffer(value) : viewBuffer(value);
  // This refuses a SharedArrayBuffer too.
  if (!has(bufferSize, buffer) || isDetached(buffer)) fail();
  let offset = 0;
  let size = 0;
  if (typed) {
    offset = typedOffset(value);
    size = typedSize(value);
  } else {
    try {
      offset = viewOffset(value);
      size = viewSize(value);
    } catch {
      // The view is out of bounds, because its resizable buffer has shrunk.
      fail();
    }
  }
  const id = findId(buffer);
  if (id === undefined) {
    if (bufferSize(buffer) - size >= VIEW_REST && !isResizable(buffer) && !isTransferred(buffer)) {
      writeNarrow(value, buffer, entry.tag, offset, size);
      return;
    }
    assignId(buffer);
    writeBuffer(buffer);
  } else {
    if (narrow !== null) widen(id);
    writeByte(0x5e);
    writeVarint(id);
  }
  assignId(value);
  // Bit 1: on a resizable buffer. Bit 0 (tracks its length) cannot be detected by a script, so such
  // views are written with their present length.
  writeViewPart(entry.tag, offset, size, isResizable(buffer) ? 2 : 0);
};
