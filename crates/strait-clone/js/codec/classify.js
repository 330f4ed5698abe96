// The kind of an object, decided by internal slots, which a page cannot fake. Prototypes only
// decide which slot is tried first, because every failed attempt throws.

const PLAIN = 0;
const ARRAY = 1;
const MAP = 2;
const SET = 3;
const DATE = 4;
const REGEXP = 5;
const BUFFER = 6;
const VIEW = 7;
const NUMBER = 8;
const BOOLEAN = 9;
const STRING = 10;
const BIGINT = 11;
const ERROR = 12;
const IMAGE = 13;
const EXCEPTION = 14;
const REFUSED = 15;
// Every File is a Blob too, so File is tried first.
const FILE = 16;
const BLOB = 17;
const FILES = 18;
const KINDS = 19;

/** For each kind, a function that throws unless its argument has the kind's internal slot. */
const probes = newList();
for (let i = 0; i < KINDS; i++) probes[i] = null;
probes[MAP] = getter(Map.prototype, 'size');
probes[SET] = getter(Set.prototype, 'size');
probes[DATE] = method(Date, 'getTime');
probes[BUFFER] = bufferSize;
probes[NUMBER] = method(Number, 'valueOf');
probes[BOOLEAN] = method(Boolean, 'valueOf');
probes[STRING] = method(String, 'valueOf');
probes[BIGINT] = method(toBigInt, 'valueOf');
probes[IMAGE] = imageWidth;
probes[EXCEPTION] = exceptionMessage;
probes[FILE] = fileName;
probes[BLOB] = blobSize;
probes[FILES] = filesLength;
// RegExp.prototype must be excluded, because its own `source` getter does not throw.
const RegExpProto = RegExp.prototype;
probes[REGEXP] = (value) => {
  if (value === RegExpProto) throw new BadInput('no RegExp');
  return regExpSource(value);
};

/** Getters and methods for internal slots that are never cloned. */
const refusals = newList();
{
  let n = 0;
  const add = (probe) => {
    if (probe) refusals[n++] = probe;
  };
  add(typeof SharedArrayBuffer === 'function' ? getter(SharedArrayBuffer.prototype, 'byteLength') : null);
  add(typeof Symbol === 'function' ? method(Symbol, 'valueOf') : null);
  const key = createObject(null);
  for (const constructor of [typeof WeakMap === 'function' && WeakMap, typeof WeakSet === 'function' && WeakSet]) {
    const has = method(constructor, 'has');
    if (has) add((value) => has(value, key));
  }
  add(typeof WeakRef === 'function' ? method(WeakRef, 'deref') : null);
}

/** For each prototype, the kind to try first. */
const hints = new NewMap();
mapSet(hints, Map.prototype, MAP);
mapSet(hints, Set.prototype, SET);
mapSet(hints, Date.prototype, DATE);
mapSet(hints, RegExp.prototype, REGEXP);
mapSet(hints, ArrayBuffer.prototype, BUFFER);
mapSet(hints, Number.prototype, NUMBER);
mapSet(hints, Boolean.prototype, BOOLEAN);
mapSet(hints, String.prototype, STRING);
if (toBigInt) mapSet(hints, toBigInt.prototype, BIGINT);
mapSet(hints, Error.prototype, ERROR);
mapSet(hints, ArrayProto, PLAIN);
mapSet(hints, Function.prototype, REFUSED);
mapSet(hints, Symbol.prototype, REFUSED);
mapSet(hints, Promise.prototype, REFUSED);
{
  // Generators have no global constructor, so their prototypes are taken from an instance.
  const generator = getPrototypeOf(getPrototypeOf((function* () {})()));
  mapSet(hints, generator, REFUSED);
  mapSet(hints, getPrototypeOf(generator), REFUSED);
}
if (NewImageData) mapSet(hints, imageProto, IMAGE);
if (NewFile) mapSet(hints, NewFile.prototype, FILE);
if (NewBlob) mapSet(hints, NewBlob.prototype, BLOB);
if (filesProto) mapSet(hints, filesProto, FILES);
if (exceptionMessage) mapSet(hints, DOMException.prototype, EXCEPTION);

/**
 * The own data property `key`, or undefined. The value must be the descriptor's own property, so
 * that no prototype is read.
 */
const ownData = (value, key) => {
  const found = getOwnPropertyDescriptor(value, key);
  if (found === undefined || !getOwnPropertyDescriptor(found, 'value')) return undefined;
  return found;
};

const RangeErrorProto = RangeError.prototype;
/**
 * Whether the engine had no stack left. All engines in which the codec runs throw a RangeError with
 * this message.
 */
const isOverflow = (error) => {
  if (typeof error !== 'object' || error === null || getPrototypeOf(error) !== RangeErrorProto) return false;
  const message = ownData(error, 'message');
  return message !== undefined && typeof message.value === 'string' && indexOf(message.value, 'Maximum call stack size exceeded') === 0;
};

const has = (probe, value) => {
  try {
    probe(value);
    return true;
  } catch (error) {
    // Without stack for the attempt, the value's kind is unknown.
    if (isOverflow(error)) throw error;
    return false;
  }
};

/**
 * Whether `value` is an Error: by its slot if the engine exposes that, otherwise by the class name
 * that engines derive from the slot.
 */
const isError = (value, chained) => {
  if (isErrorNatively) return isErrorNatively(value);
  try {
    if (objectToString(value) === '[object Error]') return true;
  } catch {
    return chained;
  }
  // A toStringTag hides the class name. Then the own `stack`, which every engine gives an Error,
  // decides.
  if (!chained) return false;
  const stack = getOwnPropertyDescriptor(value, 'stack');
  return stack !== undefined;
};

/** Tries every slot in turn. This is slow, and meant for objects whose prototypes give no hint. */
const classifyBySlots = (value) => {
  if (isView(value)) return VIEW;
  if (isError(value, false)) return ERROR;
  for (let kind = 0; kind < KINDS; kind++) {
    if (probes[kind] && has(probes[kind], value)) return kind;
  }
  for (let i = 0; i < refusals.length; i++) {
    if (has(refusals[i], value)) return REFUSED;
  }
  return -1;
};

/**
 * Whether a prototype belongs to the engine or the host rather than to a program. Its constructor
 * is native code.
 */
const isNativePrototype = (proto) => {
  const constructor = ownData(proto, 'constructor');
  if (constructor === undefined || typeof constructor.value !== 'function') return false;
  try {
    return indexOf(functionToString(constructor.value), '[native code]') >= 0;
  } catch {
    return true;
  }
};

/** @param {object} value @returns {number} its kind */
const classify = (value) => {
  if (isArray(value)) return ARRAY;
  if (isView(value)) return VIEW;
  let hint = -1;
  let native = false;
  let proto = getPrototypeOf(value);
  // A chain of this length is an attack.
  for (let steps = 1000; proto !== null && proto !== ObjectProto; proto = getPrototypeOf(proto)) {
    if (--steps === 0) return REFUSED;
    const known = mapGet(hints, proto);
    if (known !== undefined) {
      if (hint < 0) hint = known;
    } else if (!native && hint < 0 && isNativePrototype(proto) && !isForeignObjectPrototype(proto)) {
      native = true;
    }
  }
  if (hint === ERROR) {
    if (isError(value, true)) return ERROR;
  } else if (hint === REFUSED) {
    return REFUSED;
  } else if (hint > 0 && has(probes[hint], value)) {
    return hint;
  }
  if (isPort(value) || (isPlatform !== null && isPlatform(value))) return REFUSED;
  // An ordinary chain has no slot. Objects with slots have no enumerable properties, unless a
  // program adds them.
  if (hint < 0 && !native && (objectKeys(value).length > 0 || isClonedPlain(value))) return PLAIN;
  const kind = classifyBySlots(value);
  if (kind >= 0) return kind;
  return native ? REFUSED : PLAIN;
};

/** Whether this is `Object.prototype` of another realm of the page. */
const isForeignObjectPrototype = (proto) => {
  if (getPrototypeOf(proto) !== null) return false;
  const constructor = ownData(proto, 'constructor');
  return constructor !== undefined && typeof constructor.value === 'function' &&
    indexOf(functionToString(constructor.value), 'function Object()') === 0;
};

/**
 * Whether the engine clones an object without enumerable properties as a plain one. The clone shows
 * the class, and no getter can run.
 */
const isClonedPlain = (value) => {
  // An engine without a page has no such function, and a throw costs as much as writing a hundred
  // properties. An object without own keys is nearly certain to be plain.
  if (cloneNatively === null) return ownKeys(value).length === 0;
  try {
    return getPrototypeOf(cloneNatively(value)) === ObjectProto;
  } catch {
    return false;
  }
};
