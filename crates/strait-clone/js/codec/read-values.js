// Reading: values of the language.

const readTag = () => {
  let tag = readByte();
  // Skips padding, and `?` with a count, which is a hint about later objects.
  while (tag === 0 || tag === 0x3f) {
    if (tag !== 0) readVarint();
    tag = readByte();
  }
  return tag;
};

const readStringOf = (tag) => {
  switch (tag) {
    case 0x22:
      return readOneByte(readVarint());
    case 0x63:
      return readTwoByte(readVarint());
    case 0x53:
      return readUtf8(readVarint());
    default:
      return bad('a string was expected');
  }
};

const readString = () => readStringOf(readTag());

/**
 * Reserves the number of an object that is being read, because it must precede the numbers of
 * objects inside it.
 */
const newId = () => {
  objects[objectCount] = undefined;
  return objectCount++;
};

const addObject = (object) => {
  objects[objectCount++] = object;
  return object;
};

const readValue = () => readTagged(readTag());

const readTagged = (tag) => {
  switch (tag) {
    case 0x5f: // _
      return undefined;
    case 0x30: // 0
      return null;
    case 0x54: // T
      return true;
    case 0x46: // F
      return false;
    case 0x49: // I
      return readZigZag();
    case 0x55: // U
      return readVarint();
    case 0x4e: // N
      return readDouble();
    case 0x5a: // Z
      return readBigInt();
    case 0x22:
      return readFrom(words, readVarint());
    case 0x63:
    case 0x53:
      return readStringOf(tag);
    default: {
      if (++depth > MAX_DEPTH + 1) bad('it is nested too deeply');
      const object = readObject(tag);
      depth--;
      return object;
    }
  }
};

const readObject = (tag) => {
  switch (tag) {
    case 0x6f: // o
      return readPlain();
    case 0x41: // A
      return readDense();
    case 0x61: // a
      return readSparse();
    case 0x5e: { // ^
      const id = readVarint();
      const found = id < objectCount ? objects[id] : undefined;
      if (found === undefined) bad(`there is no object ${id}`);
      return readViewOf(found);
    }
    case 0x44: // D
      return addObject(new NewDate(readDouble()));
    case 0x79: // y
      return addObject(toObject(true));
    case 0x78: // x
      return addObject(toObject(false));
    case 0x6e: // n
      return addObject(toObject(readDouble()));
    case 0x7a: // z
      return addObject(toObject(readBigInt()));
    case 0x73: // s
      return addObject(toObject(readString()));
    case 0x52: // R
      return readRegExp();
    case 0x3b: // ;
      return readMap();
    case 0x27: // '
      return readSet();
    case 0x42: // B
      return readViewOf(addObject(bufferOut(readVarint())));
    case 0x7e: // ~
      return readViewOf(readResizable());
    case 0x72: // r
      return readError();
    case 0x5c: // the host tag
      return readHost();
    default:
      at--;
      return bad(`no value begins with ${tag}`);
  }
};

/**
 * CreateDataProperty. If no prototype has the key, a plain assignment has the same effect and is
 * several times faster.
 */
const setProperty = (object, key, value) => {
  if (key in ObjectProto) define(object, key, value, true);
  else object[key] = value;
};

const setElement = (array, index, value) => {
  if (!arraysOrdinary || index in ArrayProto) define(array, index, value, true);
  else array[index] = value;
};

/**
 * Whether no prototype of an array has index keys, which would be first among its keys. No program
 * code runs between this check and the end of a read.
 */
const areIndicesFree = () =>
  arraysOrdinary && arrayIndex(toStringCopy(ownKeys(ArrayProto)[0])) < 0 && arrayIndex(toStringCopy(ownKeys(ObjectProto)[0])) < 0;

/**
 * Short strings that were read lately, at most two for each slot. A repeated string is not made
 * again, and the engine need not intern it again. Keys and values have separate tables, because
 * values vary more.
 */
const TWINS = 256;
const SHORT = 24;
const newTable = () => {
  const table = newList();
  for (let i = 0; i < TWINS * 2; i++) table[i] = '';
  return table;
};
const keys = newTable();
const words = newTable();

/** Whether the next `length` characters are `text`. */
const isNext = (text, length) => {
  if (text.length !== length) return false;
  let i = 0;
  while (i < length && charCode.call(text, i) === input[at + i]) i++;
  return i === length;
};

/**
 * @param {any} table
 * @param {number} length the length of a one-byte string, which is in `input` completely if it has
 *   at most `SHORT` characters
 */
const readFrom = (table, length) => {
  if (length === 0 || length > SHORT || length > end - at) return readOneByte(length);
  const slot = ((length + input[at] * 7 + input[at + (length >> 1)] * 31 + input[at + length - 1] * 3) & (TWINS - 1)) * 2;
  let text = table[slot];
  if (!isNext(text, length)) {
    const other = table[slot + 1];
    table[slot + 1] = text;
    if (!isNext(other, length)) return (table[slot] = readOneByte(length));
    text = table[slot] = other;
  }
  at += length;
  return text;
};

const readSymbol = () => {
  const key = crossed !== null && readVarint() === HOST_CROSSING ? crossed(readVarint(), readVarint()) : undefined;
  return typeof key === 'symbol' ? key : bad('a key was expected');
};

const readKey = (tag) => {
  switch (tag) {
    case 0x49:
      return readZigZag();
    case 0x55:
      return readVarint();
    case 0x4e:
      return readDouble();
    case 0x22:
      return readFrom(keys, readVarint());
    case 0x5c:
      return readSymbol();
    default:
      return readStringOf(tag);
  }
};

const readPlain = () => {
  const object = {};
  addObject(object);
  let count = 0;
  for (let tag = readTag(); tag !== 0x7b; tag = readTag()) {
    const key = readKey(tag);
    setProperty(object, key, readValue());
    count++;
  }
  if (readVarint() !== count) bad('the number of properties is wrong');
  return object;
};

/** Reads the named properties of an array up to the tag `last`, and the two counts after it. */
const readArrayRest = (array, length, last) => {
  let count = 0;
  for (let tag = readTag(); tag !== last; tag = readTag()) {
    const key = readKey(tag);
    const value = readValue();
    if (key === 'length' || (typeof key === 'string' ? arrayIndex(key) : key) >= length) bad('an element lies beyond its array');
    define(array, key, value, true);
    count++;
  }
  if (readVarint() !== count) bad('the number of properties is wrong');
  if (readVarint() !== length) bad('the two lengths of an array differ');
  return array;
};

const readDense = () => {
  const length = readVarint();
  // Every element takes at least one byte, even a hole.
  if (length > end - at + pending) bad('an array is longer than the input');
  const array = new NewArray(length);
  addObject(array);
  const free = length > 16 && areIndicesFree();
  for (let i = 0; i < length; i++) {
    const tag = readTag();
    if (tag === 0x2d) continue;
    const element = readTagged(tag);
    if (free) array[i] = element;
    else setElement(array, i, element);
  }
  return readArrayRest(array, length, 0x24);
};

const readSparse = () => {
  const length = readVarint();
  const array = [];
  array.length = length;
  addObject(array);
  return readArrayRest(array, length, 0x40);
};

const readMap = () => {
  const map = new NewMap();
  addObject(map);
  let count = 0;
  for (let tag = readTag(); tag !== 0x3a; tag = readTag()) {
    const key = readTagged(tag);
    mapSet(map, key, readValue());
    count += 2;
  }
  if (readVarint() !== count) bad('the number of entries is wrong');
  return map;
};

const readSet = () => {
  const set = new NewSet();
  addObject(set);
  let count = 0;
  for (let tag = readTag(); tag !== 0x2c; tag = readTag()) {
    setAdd(set, readTagged(tag));
    count++;
  }
  if (readVarint() !== count) bad('the number of entries is wrong');
  return set;
};

const readRegExp = () => {
  const source = readString();
  const bits = readVarint();
  let flags = '';
  if (bits >= 512) bad('unknown RegExp flags');
  for (let i = 0; i < 9; i++) {
    if (bits & (1 << i)) flags += REGEXP_FLAGS[i];
  }
  let made = null;
  try {
    made = new NewRegExp(source, flags);
  } catch (error) {
    if (isOverflow(error)) throw error;
    bad('a RegExp that this engine lacks');
  }
  return addObject(made);
};
