// Writing: values of the language.

const writeValue = (value) => {
  switch (typeof value) {
    case 'string':
      writeString(value);
      return;
    case 'number':
      writeNumber(value);
      return;
    case 'boolean':
      writeByte(value ? 0x54 : 0x46);
      return;
    case 'bigint':
      writeByte(0x5a);
      writeBigInt(value);
      return;
    case 'object':
      if (value === null) {
        writeByte(0x30);
        return;
      }
      if (++writeDepth > (crosser === null ? MAX_DEPTH : crosser.depth)) {
        if (crosser !== null) crosser.tooDeep();
        fail();
      }
      writeObject(value);
      writeDepth--;
      return;
    default:
      // `typeof document.all` is "undefined".
      if (value !== undefined) writeCrossing(value);
      else writeByte(0x5f);
  }
};

/**
 * Writes a value that has no clone through the bridge, if that accepts it. The value gets no object
 * number, because the other end identifies it by the bridge's number.
 */
const writeCrossing = (value) => {
  const by = crosser;
  const kind = by === null ? -1 : by.out(value);
  if (kind < 0) fail();
  writeByte(0x5c); // the host tag
  writeVarint(HOST_CROSSING);
  writeVarint(kind);
  writeVarint(by.id);
};

/** @returns {number | undefined} the object number of `value`, if it has been written */
const findId = (value) => {
  for (let i = 0; i < nextId && i < EARLY; i++) if (early[i] === value) return i;
  return ids === null ? undefined : mapGet(ids, value);
};

const assignId = (value) => {
  if (nextId < EARLY) {
    early[nextId] = value;
  } else {
    if (ids === null) ids = new NewMap();
    mapSet(ids, value, nextId);
  }
  nextId++;
};

const isBlobKind = (kind) => kind === BLOB || kind === FILE || kind === FILES;

const writeObject = (value) => {
  const id = findId(value);
  if (id !== undefined) {
    if (narrow !== null) widen(id);
    writeByte(0x5e); // ^
    writeVarint(id);
    return;
  }
  for (let i = 0; i < portCount; i++) {
    if (portList[i] === value) {
      writeByte(0x5c); // the host tag
      writeVarint(HOST_PORT);
      writeVarint(i);
      nextId++;
      return;
    }
  }
  if (value === global || (isProxy !== null && isProxy(value))) fail();
  const proto = getPrototypeOf(value);
  if (proto === ObjectProto && !isArray(value)) {
    const keys = objectKeys(value);
    if (keys.length > 0) {
      assignId(value);
      writePlain(value, keys);
      return;
    }
  }
  const kind = classify(value);
  if (kind === VIEW) {
    writeView(value);
    return;
  }
  if (kind === REFUSED || (crosser !== null && isBlobKind(kind))) {
    writeCrossing(value);
    return;
  }
  assignId(value);
  switch (kind) {
    case PLAIN:
      writePlain(value, objectKeys(value));
      return;
    case ARRAY:
      writeArray(value);
      return;
    case MAP:
      writeMap(value);
      return;
    case SET:
      writeSet(value);
      return;
    case DATE:
      writeByte(0x44); // D
      writeDouble(probes[DATE](value));
      return;
    case REGEXP:
      writeRegExp(value);
      return;
    case BUFFER:
      writeBuffer(value);
      return;
    case NUMBER:
      writeByte(0x6e); // n
      writeDouble(probes[NUMBER](value));
      return;
    case BOOLEAN:
      writeByte(probes[BOOLEAN](value) ? 0x79 : 0x78); // y, x
      return;
    case STRING:
      writeByte(0x73); // s
      writeString(probes[STRING](value));
      return;
    case BIGINT:
      writeByte(0x7a); // z
      writeBigInt(probes[BIGINT](value));
      return;
    case ERROR:
      writeError(value);
      return;
    case IMAGE:
      writeImage(value);
      return;
    case EXCEPTION:
      writeException(value);
      return;
    case FILE:
      writeBlob(value, true);
      return;
    case BLOB:
      writeBlob(value, false);
      return;
    case FILES:
      writeFiles(value);
      return;
    default:
      fail();
  }
};

/** The array index that `key` spells, or -1. V8 writes such keys as numbers. */
const arrayIndex = (key) => {
  const length = key.length;
  if (length === 0 || length > 10) return -1;
  let index = charCode.call(key, 0) - 48;
  if (index < 0 || index > 9 || (index === 0 && length > 1)) return -1;
  for (let i = 1; i < length; i++) {
    const digit = charCode.call(key, i) - 48;
    if (digit < 0 || digit > 9) return -1;
    index = index * 10 + digit;
  }
  return index < 4294967295 ? index : -1;
};

/**
 * @returns {number} the number of written properties: of `keys` from `start` on, those that still
 *   exist
 */
const writeProperties = (value, keys, start) => {
  const count = keys.length;
  let written = 0;
  for (let i = start; i < count; i++) {
    const key = keys[i];
    // A getter that ran before may have removed the property.
    if (!isOwn.call(value, key)) continue;
    const property = value[key];
    const index = arrayIndex(key);
    if (index < 0) writeString(key);
    else writeNumber(index);
    writeValue(property);
    written++;
  }
  return written;
};

/**
 * Writes properties whose keys are symbols. They cross to another world of the document, which has
 * the same symbols.
 */
const writeSymbols = (value) => {
  const keys = ownKeys(value);
  const count = keys.length;
  let written = 0;
  for (let i = 0; i < count; i++) {
    const found = typeof keys[i] === 'symbol' ? getOwnPropertyDescriptor(value, keys[i]) : undefined;
    if (found === undefined || !found.enumerable) continue;
    const property = value[keys[i]];
    writeCrossing(keys[i]);
    writeValue(property);
    written++;
  }
  return written;
};

const writePlain = (value, keys) => {
  writeByte(0x6f); // o
  const written = writeProperties(value, keys, 0) + (crosser === null ? 0 : writeSymbols(value));
  writeByte(0x7b); // {
  writeVarint(written);
};

/** For arrays of this length or more the engine's own check of the keys is faster. */
const DENSE_FROM = 32;
const noKeys = newList();

const writeArray = (value) => {
  const length = value.length;
  // Listing the keys of a long array takes longer than writing it.
  const isDense = length >= DENSE_FROM && isDenseNatively !== null && isDenseNatively(value);
  const keys = isDense ? noKeys : objectKeys(value);
  // Index keys come first and in order. So there are no holes if the key at `length - 1` spells
  // that index.
  if (isDense || length === 0 || (keys.length >= length && arrayIndex(keys[length - 1]) === length - 1)) {
    writeByte(0x41); // A
    writeVarint(length);
    for (let i = 0; i < length; i++) {
      const element = value[i];
      // Numbers and strings need no check. Any other value may be undefined because a getter
      // removed the element.
      if (typeof element !== 'number' && typeof element !== 'string' && !isOwn.call(value, i)) writeByte(0x2d); // -
      else writeValue(element);
    }
    const written = writeProperties(value, keys, length);
    writeByte(0x24); // $
    writeVarint(written);
  } else {
    writeByte(0x61); // a
    writeVarint(length);
    const written = writeProperties(value, keys, 0);
    writeByte(0x40); // @
    writeVarint(written);
  }
  writeVarint(length);
};

const writeMap = (value) => {
  const entries = newList();
  let count = 0;
  mapForEach(value, (item, key) => {
    entries[count++] = key;
    entries[count++] = item;
  });
  writeByte(0x3b); // ;
  for (let i = 0; i < count; i++) writeValue(entries[i]);
  writeByte(0x3a); // :
  writeVarint(count);
};

const writeSet = (value) => {
  const entries = newList();
  let count = 0;
  setForEach(value, (item) => {
    entries[count++] = item;
  });
  writeByte(0x27); // '
  for (let i = 0; i < count; i++) writeValue(entries[i]);
  writeByte(0x2c); // ,
  writeVarint(count);
};

const writeRegExp = (value) => {
  writeByte(0x52); // R
  writeString(regExpSource(value));
  let flags = 0;
  for (let i = 0; i < regExpFlagGetters.length; i++) {
    if (regExpFlagGetters[i] && regExpFlagGetters[i](value)) flags |= 1 << i;
  }
  writeVarint(flags);
};
