// Reading: buffers and their views.

const readResizable = () => {
  const size = readVarint();
  const max = readLongVarint();
  if (size > max) bad('a buffer exceeds its own limit');
  const bytes = copyOut(size);
  if (resizables === null) resizables = newList();
  // The sender chose the limit, and some engines reserve memory for it. So it is kept only if the
  // input's size justifies it.
  if (bufferResizable === null || max > RESIZABLE_ROOM + size * 16) return addObject((resizables[resizables.length] = typedBuffer(bytes)));
  const options = createObject(null);
  options.maxByteLength = max;
  const buffer = new NewBuffer(size, options);
  typedSet(new Bytes(buffer), bytes, 0);
  return addObject((resizables[resizables.length] = buffer));
};
const cameResizable = (buffer) => {
  for (let i = 0; resizables !== null && i < resizables.length; i++) if (resizables[i] === buffer) return true;
  return false;
};
const RESIZABLE_ROOM = 1 << 20;

/** Returns `object`, or the view that follows it if it is a buffer. */
const readViewOf = (object) => {
  if (at === end && pending > 0) need(1, '');
  if (at >= end || input[at] !== 0x56 || !has(bufferSize, object)) return object;
  at++;
  const entry = VIEW_TAGS[readByte()];
  if (entry === undefined) bad('an unknown kind of view');
  if (entry.make === null) bad('a kind of view that this engine lacks');
  const offset = readVarint();
  let size = readVarint();
  const flags = version >= 14 ? readVarint() : 0;
  if (flags !== 0 && (flags > 3 || !cameResizable(object))) bad('flags that do not fit the view');
  const total = bufferSize(object);
  // Such a view follows its buffer's length. The written size is the one that it had last.
  const tracking = (flags & 1) !== 0;
  if (tracking) size = offset > total ? 0 : total - offset - ((total - offset) % entry.size);
  if (offset > total || size > total - offset || offset % entry.size !== 0 || size % entry.size !== 0) {
    bad('a view lies outside its buffer');
  }
  if (tracking && bufferResizable !== null && bufferResizable(object)) return addObject(new entry.make(object, offset));
  return addObject(new entry.make(object, offset, size / entry.size));
};
