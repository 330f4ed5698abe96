/**
 * Structured clone for pages and for QuickJS: JavaScript values to V8's wire format 15 and back.
 *
 * The file is one function expression. It captures every intrinsic it needs when it is called, which must be before any page
 * script. Afterwards a page may replace globals, patch prototypes and put accessors on `Object.prototype`; the codec goes on
 * working and no page code ever gets hold of an object of ours. What that means for the code below:
 *  - no method calls through prototypes, no for-of, spread or array destructuring: captured, uncurried functions instead;
 *  - lists of ours have no prototype, so that index writes cannot meet a setter;
 *  - `length` is read only where it is an own property (strings, arrays), never on typed arrays;
 *  - property descriptors have no prototype.
 * While writing, getters of the value run, and may call `write` again: the state is saved and restored around that.
 * Reading runs no code of the page at all.
 *
 * @param {{ cloneError: (message: string) => unknown, isPort: (value: object) => boolean,
 *           isPlatform?: (value: object) => boolean, isProxy?: (value: object) => boolean, detach?: (buffer: ArrayBuffer) => void,
 *           blobBytes?: (blob: Blob) => Uint8Array }} env
 *   `cloneError` makes what `write` throws; `isPort` knows this realm's ports; `isPlatform` (optional) knows objects of the host that
 *   must not be cloned; `blobBytes` (optional) reads a Blob where that can be done at once; `isProxy` (optional) knows Proxy objects, which scripts cannot tell from others: they are refused; `detach` (optional) detaches an ArrayBuffer where the engine has no `ArrayBuffer.prototype.transfer`.
 */
(function makeCodec(env) {
  'use strict';

  // ---- Intrinsics -------------------------------------------------------------------------------------------------------------

  const global = globalThis;
  const { apply, getPrototypeOf, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const setPrototypeOf = Object.setPrototypeOf;
  /** @param {Function} f @returns {(self: any, ...args: any[]) => any} `f` with `this` as its first argument */
  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const getter = (object, key) => {
    const descriptor = object && getOwnPropertyDescriptor(object, key);
    return descriptor && descriptor.get ? uncurry(descriptor.get) : null;
  };
  const method = (constructor, key) => {
    const f = constructor && constructor.prototype && constructor.prototype[key];
    return typeof f === 'function' ? uncurry(f) : null;
  };

  const ObjectProto = Object.prototype;
  const ArrayProto = Array.prototype;
  const objectKeys = Object.keys;
  const createObject = Object.create;
  const objectIs = Object.is;
  const toObject = Object;
  const toStringCopy = String;
  const objectToString = uncurry(ObjectProto.toString);
  const isArray = Array.isArray;
  const NewArray = Array;
  const functionToString = uncurry(Function.prototype.toString);
  /**
   * `f.call(self, …)` for a captured method, where it matters: looked up through `super` on a holder of ours, by way of a `call` that is the function's own. Engines inline all of that, but not
   * what `uncurry` makes, which is twenty times slower: too slow for every character of every string.
   */
  const direct = (f) => {
    defineProperty(f, 'call', { __proto__: null, value: Function.prototype.call });
    return f;
  };
  const charCode = direct({
    __proto__: { __proto__: null, charCodeAt: String.prototype.charCodeAt },
    /** @param {number} i */
    at(i) {
      return super.charCodeAt(i);
    },
  }.at);
  const isOwn = direct({
    __proto__: { __proto__: null, hasOwnProperty: ObjectProto.hasOwnProperty },
    /** @param {PropertyKey} key */
    has(key) {
      return super.hasOwnProperty(key);
    },
  }.has);
  const indexOf = uncurry(String.prototype.indexOf);
  const fromCharCode = String.fromCharCode;
  const toBigInt = typeof BigInt === 'function' ? BigInt : null;
  const bigIntToString = method(toBigInt, 'toString');
  const NewMap = Map;
  const mapGet = method(Map, 'get');
  const mapSet = method(Map, 'set');
  const mapForEach = method(Map, 'forEach');
  const NewSet = Set;
  const setAdd = method(Set, 'add');
  const setForEach = method(Set, 'forEach');
  const NewDate = Date;
  const NewRegExp = RegExp;
  const NewError = Error;
  const BadInput = TypeError;
  const NewBuffer = ArrayBuffer;
  const NewDataView = DataView;
  const Bytes = Uint8Array;
  const isView = ArrayBuffer.isView;

  const TypedProto = getPrototypeOf(Uint8Array.prototype);
  const typedTag = getter(TypedProto, Symbol.toStringTag);
  const typedBuffer = getter(TypedProto, 'buffer');
  const typedOffset = getter(TypedProto, 'byteOffset');
  const typedSize = getter(TypedProto, 'byteLength');
  const typedSet = uncurry(TypedProto.set);
  const viewBuffer = getter(DataView.prototype, 'buffer');
  const viewOffset = getter(DataView.prototype, 'byteOffset');
  const viewSize = getter(DataView.prototype, 'byteLength');
  const bufferSize = getter(ArrayBuffer.prototype, 'byteLength');
  const bufferDetached = getter(ArrayBuffer.prototype, 'detached');
  const bufferResizable = getter(ArrayBuffer.prototype, 'resizable');
  const bufferMaxSize = getter(ArrayBuffer.prototype, 'maxByteLength');
  const bufferTransfer = method(ArrayBuffer, 'transfer');
  /** Memories' buffers can never be detached. */
  const hasMemories = typeof WebAssembly === 'object';
  const cloneNatively = typeof structuredClone === 'function' ? structuredClone : null;
  const NewImageData = typeof ImageData === 'function' ? ImageData : null;
  const imageProto = NewImageData && NewImageData.prototype;
  const imageWidth = getter(imageProto, 'width');
  const imageHeight = getter(imageProto, 'height');
  const imageData = getter(imageProto, 'data');
  const imageColorSpace = getter(imageProto, 'colorSpace');
  const exceptionMessage = typeof DOMException === 'function' ? getter(DOMException.prototype, 'message') : null;
  const exceptionName = typeof DOMException === 'function' ? getter(DOMException.prototype, 'name') : null;
  const isErrorNatively = typeof Error.isError === 'function' ? Error.isError : null;
  const regExpSource = getter(RegExp.prototype, 'source');

  const encodeInto = typeof TextEncoder === 'function' ? method(TextEncoder, 'encodeInto') : null;
  const encoder = encodeInto === null ? null : new TextEncoder();
  const decode = typeof TextDecoder === 'function' ? method(TextDecoder, 'decode') : null;
  /** A decoder that refuses malformed input, `probe` being some; null if the engine has none or it is not as strict as it says. */
  const strictDecoder = (label, probe) => {
    let decoder = null;
    try {
      decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
      decode(decoder, new Uint8Array(probe));
      return null;
    } catch {
      return decoder;
    }
  };
  const utf8Decoder = decode === null ? null : strictDecoder('utf-8', [0xe9, 0x41]);
  const utf16Decoder = decode === null ? null : strictDecoder('utf-16le', [0x00, 0xd8, 0x41, 0x00]);

  const NewBlob = typeof Blob === 'function' ? Blob : null;
  const NewFile = typeof File === 'function' ? File : null;
  const blobSize = getter(NewBlob && NewBlob.prototype, 'size');
  const blobType = getter(NewBlob && NewBlob.prototype, 'type');
  const fileSize = NewFile && (getter(NewFile.prototype, 'size') || blobSize);
  const fileType = NewFile && (getter(NewFile.prototype, 'type') || blobType);
  const fileName = getter(NewFile && NewFile.prototype, 'name');
  const fileDate = getter(NewFile && NewFile.prototype, 'lastModified');
  const iterator = Symbol.iterator;
  const filesProto = typeof FileList === 'function' ? FileList.prototype : null;
  const filesLength = getter(filesProto, 'length');
  const filesItem = filesProto && method(FileList, 'item');
  // The only way to a FileList, and workers have none.
  const NewTransfer = typeof DataTransfer === 'function' ? DataTransfer : null;
  const transferItems = getter(NewTransfer && NewTransfer.prototype, 'items');
  const transferFiles = getter(NewTransfer && NewTransfer.prototype, 'files');
  const addItem = typeof DataTransferItemList === 'function' ? method(DataTransferItemList, 'add') : null;

  const { cloneError, isPort } = env;
  const blobBytes = typeof env.blobBytes === 'function' ? env.blobBytes : null;
  const isPlatform = typeof env.isPlatform === 'function' ? env.isPlatform : null;
  const isProxy = typeof env.isProxy === 'function' ? env.isProxy : null;
  const detachByHost = typeof env.detach === 'function' ? env.detach : null;

  /** @returns {any[]} a list without prototype: safe to grow by index */
  const newList = () => setPrototypeOf([], null);

  const descriptor = createObject(null);
  descriptor.value = undefined;
  descriptor.writable = true;
  descriptor.configurable = true;
  descriptor.enumerable = true;
  /** CreateDataProperty, whatever the prototypes have become. */
  const define = (object, key, value, enumerable) => {
    descriptor.value = value;
    descriptor.enumerable = enumerable;
    defineProperty(object, key, descriptor);
    descriptor.value = undefined;
  };

  // ---- The format ---------------------------------------------------------------------------------------------------------------

  const VERSION = 15;
  const OLDEST_VERSION = 13;
  /** Host objects: `\` + varint kind + … */
  const HOST_PORT = 1;
  const HOST_IMAGE = 2;
  const HOST_BLOB = 3;
  const HOST_FILES = 4;
  /** What only crosses between two worlds of one document: kind and number, of which the two ends of a bridge make something. Nobody else reads it. */
  const HOST_CROSSING = 5;

  /**
   * How deep objects may be nested: `write` refuses what is deeper, so that whatever was posted can be read at the other end, rather than be lost there.
   * Every object counts here, while the Rust side (`MAX_DEPTH`) counts those that contain others: so `read` takes one level more.
   * Both walk by recursion; the engines have room for several times that, and what they have not becomes an error.
   */
  const MAX_DEPTH = 2000;

  /** Views: name, tag, element size, constructor (missing ones are null). */
  const VIEW_NAMES = createObject(null);
  const VIEW_TAGS = createObject(null);
  {
    const table = [
      ['Int8Array', 0x62, 1], ['Uint8Array', 0x42, 1], ['Uint8ClampedArray', 0x43, 1], ['Int16Array', 0x77, 2], ['Uint16Array', 0x57, 2],
      ['Int32Array', 0x64, 4], ['Uint32Array', 0x44, 4], ['Float16Array', 0x68, 2], ['Float32Array', 0x66, 4], ['Float64Array', 0x46, 8],
      ['BigInt64Array', 0x71, 8], ['BigUint64Array', 0x51, 8], ['DataView', 0x3f, 1],
    ];
    for (let i = 0; i < table.length; i++) {
      const entry = createObject(null);
      entry.tag = table[i][1];
      entry.size = table[i][2];
      entry.make = typeof global[table[i][0]] === 'function' ? global[table[i][0]] : null;
      VIEW_NAMES[table[i][0]] = entry;
      VIEW_TAGS[entry.tag] = entry;
    }
  }

  /** Error names that survive, with the tag and constructor of each. */
  const ERROR_NAMES = createObject(null);
  const ERROR_TAGS = createObject(null);
  {
    const table = [['EvalError', 0x45], ['RangeError', 0x52], ['ReferenceError', 0x46], ['SyntaxError', 0x53], ['TypeError', 0x54], ['URIError', 0x55]];
    for (let i = 0; i < table.length; i++) {
      ERROR_NAMES[table[i][0]] = table[i][1];
      ERROR_TAGS[table[i][1]] = global[table[i][0]];
    }
  }

  /** RegExp flags in the order of V8's bits; bit 6 is V8's own `linear`. */
  const REGEXP_FLAGS = 'gimyusldv';
  const regExpFlagGetters = newList();
  {
    const names = ['global', 'ignoreCase', 'multiline', 'sticky', 'unicode', 'dotAll', '', 'hasIndices', 'unicodeSets'];
    for (let i = 0; i < names.length; i++) regExpFlagGetters[i] = names[i] ? getter(RegExp.prototype, names[i]) : null;
  }

  // ---- What an object is --------------------------------------------------------------------------------------------------------
  // Decided by internal slots, which no page can fake. Prototypes only say which slot to try first, since every failed try throws.

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
  // Every File is a Blob too: it is asked for first.
  const FILE = 16;
  const BLOB = 17;
  const FILES = 18;
  const KINDS = 19;

  /** Kind → function that throws unless its argument has the kind's internal slot. */
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
  // On RegExp.prototype itself the `source` getter does not throw, so it needs the prototype ruled out.
  const RegExpProto = RegExp.prototype;
  probes[REGEXP] = (value) => {
    if (value === RegExpProto) throw new BadInput('no RegExp');
    return regExpSource(value);
  };

  /** Internal slots that are never cloned. */
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

  /** Prototype → kind to try first. */
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
    // Generators have no constructor to go by.
    const generator = getPrototypeOf(getPrototypeOf((function* () {})()));
    mapSet(hints, generator, REFUSED);
    mapSet(hints, getPrototypeOf(generator), REFUSED);
  }
  if (NewImageData) mapSet(hints, imageProto, IMAGE);
  if (NewFile) mapSet(hints, NewFile.prototype, FILE);
  if (NewBlob) mapSet(hints, NewBlob.prototype, BLOB);
  if (filesProto) mapSet(hints, filesProto, FILES);
  if (exceptionMessage) mapSet(hints, DOMException.prototype, EXCEPTION);

  /** The own data property `key`, or undefined; the descriptor's fields are its own, so no prototype is asked. */
  const ownData = (value, key) => {
    const found = getOwnPropertyDescriptor(value, key);
    if (found === undefined || !getOwnPropertyDescriptor(found, 'value')) return undefined;
    return found;
  };

  const RangeErrorProto = RangeError.prototype;
  /** Whether the engine had no stack left. All engines that the codec runs in say it with a RangeError of these words. */
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
      // That there is no room to look says nothing about the value.
      if (isOverflow(error)) throw error;
      return false;
    }
  };

  /** Whether `value` is an Error: by its slot where the engine shows it, else by the class name that engines derive from the slot. */
  const isError = (value, chained) => {
    if (isErrorNatively) return isErrorNatively(value);
    try {
      if (objectToString(value) === '[object Error]') return true;
    } catch {
      return chained;
    }
    // A toStringTag hides the class name: then the stack that every engine gives an Error decides.
    if (!chained) return false;
    const stack = getOwnPropertyDescriptor(value, 'stack');
    return stack !== undefined;
  };

  /** Every slot, one after the other. Slow: only for objects whose prototypes say nothing. */
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

  /** A prototype that belongs to the engine or the host rather than to a program: its constructor is native code. */
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
    // A chain longer than this is a trick.
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
    // An ordinary chain points to no slot. Objects with slots have no enumerable properties unless a program adds them.
    if (hint < 0 && !native && (objectKeys(value).length > 0 || isClonedPlain(value))) return PLAIN;
    const kind = classifyBySlots(value);
    if (kind >= 0) return kind;
    return native ? REFUSED : PLAIN;
  };

  /** `Object.prototype` of another realm of this page. */
  const isForeignObjectPrototype = (proto) => {
    if (getPrototypeOf(proto) !== null) return false;
    const constructor = ownData(proto, 'constructor');
    return constructor !== undefined && typeof constructor.value === 'function' &&
      indexOf(functionToString(constructor.value), 'function Object()') === 0;
  };

  /** Asks the engine about an object without properties: its clone shows the class, and no getter can run. */
  const isClonedPlain = (value) => {
    // QuickJS has no such function, and a throw there costs as much as writing a hundred properties. No own key at all is nearly proof.
    if (cloneNatively === null) return ownKeys(value).length === 0;
    try {
      return getPrototypeOf(cloneNatively(value)) === ObjectProto;
    } catch {
      return false;
    }
  };

  // ---- Writing ------------------------------------------------------------------------------------------------------------------

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
  /** By way of this array, since who looks at a page's own pins it: a part at a time, which stays in the processor's cache. */
  let stage = null;

  /**
   * Views with this many bytes or more of their buffer around them are written without them, if nothing else in the message shows the buffer: a few
   * bytes must not take a whole heap along. HTML would send it all.
   */
  const VIEW_REST = 1 << 16;
  /** Buffers of which only one view's bytes have been written so far. @type {{ id: number, start: number, stop: number, buffer: ArrayBuffer, tag: number, offset: number, size: number }[]} */
  let narrow = null;

  const doubles = new Float64Array(1);
  const doubleBytes = new Bytes(typedBuffer(doubles));

  const fail = () => {
    throw cloneError('An object could not be cloned.');
  };

  const grow = (count) => {
    let size = capacity * 2;
    // One large buffer is mostly all there is: room for twice as much costs time too.
    if (size < pos + count) size = pos + count + CAPACITY;
    const bigger = new Bytes(size);
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
    doubles[0] = value;
    for (let i = 0; i < 8; i++) out[pos++] = doubleBytes[i];
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
    if (stage === null) stage = new Bytes(SINK_FROM);
    const buffer = typedBuffer(bytes);
    const offset = typedOffset(bytes);
    for (let done = 0; done < size; ) {
      const part = size - done < SINK_FROM ? size - done : SINK_FROM;
      typedSet(stage, new Bytes(buffer, offset + done, part), 0);
      sink.put(stage, part, 0);
      done += part;
    }
    sunk += size;
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
        // `document.all` says "undefined" of itself.
        if (value !== undefined) writeCrossing(value);
        else writeByte(0x5f);
    }
  };

  /** What has no clone: the bridge may have another way for it. It has no number of its own, since the other end knows it again by the bridge's. */
  const writeCrossing = (value) => {
    const by = crosser;
    const kind = by === null ? -1 : by.out(value);
    if (kind < 0) fail();
    writeByte(0x5c); // the host tag
    writeVarint(HOST_CROSSING);
    writeVarint(kind);
    writeVarint(by.id);
  };

  /** @returns {number | undefined} the number `value` was written under */
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

  /** @returns {number} how many of `keys`, from `start`, were still there and were written */
  const writeProperties = (value, keys, start) => {
    const count = keys.length;
    let written = 0;
    for (let i = start; i < count; i++) {
      const key = keys[i];
      // A getter that ran before may have removed it.
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

  /** Properties whose keys are symbols cross to another world of the document, which knows the same symbols. */
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

  const writeArray = (value) => {
    const length = value.length;
    const keys = objectKeys(value);
    // Index keys come first and in order: if the key at `length - 1` spells that index, there are no holes.
    if (length === 0 || (keys.length >= length && arrayIndex(keys[length - 1]) === length - 1)) {
      writeByte(0x41); // A
      writeVarint(length);
      for (let i = 0; i < length; i++) {
        const element = value[i];
        // Only what a getter removed meanwhile, or an element that is undefined, needs the second look.
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
   * Neither detached nor, as a WebAssembly memory's, never to be. The latter is asked by a transfer that cannot succeed, as there is no room for that much:
   * JavaScriptCore finds first that there can be none. (V8 looks at the length first, and so it is not found there.)
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

  /** Writes a view with its own bytes alone, as the whole of a buffer. */
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

  /** Buffer `id` is shown a second time: if it was written in part, it is now written whole in that place. */
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
    // Behind it two-byte strings are aligned, and stay so.
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

  /** A view goes right behind its buffer (or the reference to it). The whole buffer is written, as everywhere, unless `VIEW_REST` says otherwise. */
  const writeView = (value) => {
    const name = typedTag(value);
    const typed = name !== undefined;
    const entry = VIEW_NAMES[typed ? name : 'DataView'];
    if (entry === undefined) fail();
    const buffer = typed ? typedBuffer(value) : viewBuffer(value);
    // Also sorts out SharedArrayBuffer.
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
        // Out of bounds: its resizable buffer has shrunk.
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
    // Bit 1: on a resizable buffer. Bit 0 (tracks its length) cannot be told from outside; such views get their present length.
    writeViewPart(entry.tag, offset, size, isResizable(buffer) ? 2 : 0);
  };

  const writeErrorParts = (name, message, cause, hasCause, stack) => {
    writeByte(0x72); // r
    const tag = ERROR_NAMES[name];
    if (tag !== undefined) writeByte(tag);
    if (message !== undefined) {
      writeByte(0x6d); // m
      writeString(message);
    }
    if (hasCause) {
      writeByte(0x63); // c
      writeValue(cause);
    }
    if (typeof stack === 'string') {
      writeByte(0x73); // s
      writeString(stack);
    }
    writeByte(0x2e); // .
  };

  const writeError = (value) => {
    if (crosser !== null) {
      writeErrorText(value);
      return;
    }
    const name = value.name;
    const message = ownData(value, 'message');
    const text = message === undefined ? undefined : toStringCopy(message.value);
    const cause = ownData(value, 'cause');
    writeErrorParts(
      name === undefined ? 'Error' : `${name}`,
      text,
      cause === undefined ? undefined : cause.value,
      cause !== undefined,
      value.stack,
    );
  };

  /** What an error says: all of it that crosses to another world, where its stack is a text as every one is, but tells nothing. */
  const writeErrorText = (value) => {
    const { message } = value;
    writeErrorParts('Error', message === undefined ? undefined : toStringCopy(message), undefined, false, '');
  };

  /** A DOMException arrives as an Error with its message: not every end has the class. */
  const writeException = (value) => {
    const name = exceptionName(value);
    writeErrorParts('Error', exceptionMessage(value), undefined, false, `${name}: ${exceptionMessage(value)}`);
  };

  /** `\` 2, width, height, colour space (0 sRGB, 1 Display P3), byte length, RGBA bytes. */
  const writeImage = (value) => {
    const data = imageData(value);
    if (typedTag(data) !== 'Uint8ClampedArray' || isDetached(typedBuffer(data))) fail();
    const size = typedSize(data);
    writeByte(0x5c);
    writeVarint(HOST_IMAGE);
    writeVarint(imageWidth(value));
    writeVarint(imageHeight(value));
    writeVarint(imageColorSpace && imageColorSpace(value) === 'display-p3' ? 1 : 0);
    writeVarint(size);
    writeBytes(data, size);
  };

  /** `\` 3, class (0 Blob, 1 File), type, of a File its name and date, byte length, bytes, and a zero if their number is odd. */
  const writeBlob = (value, isFile) => {
    const size = isFile ? fileSize(value) : blobSize(value);
    writeByte(0x5c);
    writeVarint(HOST_BLOB);
    writeVarint(isFile ? 1 : 0);
    writeString(isFile ? fileType(value) : blobType(value));
    if (isFile) {
      writeString(fileName(value));
      writeDouble(fileDate(value));
    }
    writeVarint(size);
    if (blobsLater) {
      if (blobList === null) blobList = newList();
      const count = blobList.length;
      blobList[count] = value;
      blobList[count + 1] = sunk + pos;
      blobList[count + 2] = size;
      return;
    }
    if (blobBytes === null) fail();
    let bytes = null;
    try {
      bytes = blobBytes(value);
    } catch {
      // A file that has gone or changed.
      fail();
    }
    if (typedSize(bytes) !== size) fail();
    writeBytes(bytes, size);
    if (size % 2 === 1) writeByte(0);
  };

  /** `\` 4, how many, and each file as it is written elsewhere: in here they have no numbers. */
  const writeFiles = (value) => {
    const count = filesLength(value);
    writeByte(0x5c);
    writeVarint(HOST_FILES);
    writeVarint(count);
    for (let i = 0; i < count; i++) writeBlob(filesItem(value, i), true);
  };

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

  // ---- Reading ------------------------------------------------------------------------------------------------------------------

  /** The array that was read last, if it is not large: mostly the next message is in it too. Its owner does not detach it. */
  let known = null;
  let knownBuffer = null;
  let knownOffset = 0;
  let knownSize = 0;
  let input = out;
  let inputBuffer = null;
  let inputOffset = 0;
  let at = 0;
  let end = 0;
  /** A long message comes in parts: where in it `input` begins, how much is behind `input`, and who has it. */
  let base = 0;
  let pending = 0;
  /** @type {((start: number, size: number) => Uint8Array) | null} */
  let pull = null;
  /** Who makes buffers of it, for those that are not small. @type {((start: number, size: number) => ArrayBuffer | undefined) | null} */
  let take = null;
  let version = VERSION;
  let depth = 0;
  /** Who knows what crossed. @type {((kind: number, id: number) => unknown) | null} */
  let crossed = null;
  let readPorts = null;
  let readPortCount = 0;
  /** What `write` put into its list of Blobs, and how many of them have been met. @type {any[] | null} */
  let readBlobs = null;
  let readBlobCount = 0;
  /** The buffers that were resizable where they come from. */
  let resizables = null;
  let objectCount = 0;
  const objects = newList();
  /** Whether `Array.prototype` still inherits from `Object.prototype` only: then `in` finds every setter there is. */
  let arraysOrdinary = true;

  const bad = (what) => {
    throw new BadInput(`invalid structured clone at byte ${base + at}: ${what}`);
  };

  /** Sees to it that the next `size` bytes are in `input`. */
  const need = (size, what) => {
    const had = end - at;
    if (size <= had) return;
    if (size > had + pending) bad(what);
    const left = had + pending;
    const part = size > WINDOW ? size : left < WINDOW ? left : WINDOW;
    base += at;
    input = pull(base, part);
    inputBuffer = typedBuffer(input);
    inputOffset = typedOffset(input);
    at = 0;
    end = part;
    pending = left - part;
  };
  /** How much of a long message is asked for at a time: little enough to stay in the processor's cache. */
  const WINDOW = 1 << 16;

  const readByte = () => {
    if (at >= end) need(1, 'it ends early');
    return input[at++];
  };

  /** @returns {number} below 2^53, or a little more */
  const readLongVarint = () => {
    let byte = readByte();
    let value = byte & 127;
    let scale = 128;
    // Encoders may pad with empty groups, but not without end.
    for (let groups = 1; byte > 127; groups++) {
      if (groups === 8) bad('a number is too long');
      byte = readByte();
      value += (byte & 127) * scale;
      scale *= 128;
    }
    return value;
  };

  /** @returns {number} below 2^32 */
  const readVarint = () => {
    if (at < end && input[at] < 128) return input[at++];
    const value = readLongVarint();
    return value > 0xffffffff ? bad('an integer is too large') : value;
  };

  const readDouble = () => {
    if (end - at < 8) need(8, 'it ends early');
    for (let i = 0; i < 8; i++) doubleBytes[i] = input[at++];
    return doubles[0];
  };

  const readZigZag = () => {
    const bits = readVarint();
    return ((bits >>> 1) ^ -(bits & 1)) | 0;
  };

  /** Arguments for long strings; its own `length` bounds what `fromCharCode` takes. */
  const CHUNK = 2048;
  const codes = newList();

  const flushCodes = (count) => {
    codes.length = count;
    const text = apply(fromCharCode, undefined, codes);
    codes.length = 0;
    return text;
  };

  /** The next `size` bytes decoded as a whole, or undefined if they are not well-formed. */
  const decodeLong = (decoder, size) => {
    try {
      return decode(decoder, new Bytes(inputBuffer, inputOffset + at, size));
    } catch {
      return undefined;
    }
  };

  const readOneByte = (length) => {
    if (length > end - at) need(length, 'a string is longer than the input');
    if (length >= LONG && utf8Decoder !== null) {
      const decoded = decodeLong(utf8Decoder, length);
      // Text of the same length is ASCII.
      if (decoded !== undefined && decoded.length === length) {
        at += length;
        return decoded;
      }
    }
    let text = '';
    let left = length;
    while (left > 64) {
      const count = left < CHUNK ? left : CHUNK;
      for (let i = 0; i < count; i++) codes[i] = input[at++];
      text += flushCodes(count);
      left -= count;
    }
    while (left >= 8) {
      text += fromCharCode(
        input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4], input[at + 5], input[at + 6], input[at + 7],
      );
      at += 8;
      left -= 8;
    }
    switch (left) {
      case 7:
        text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4], input[at + 5], input[at + 6]);
        break;
      case 6:
        text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4], input[at + 5]);
        break;
      case 5:
        text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3], input[at + 4]);
        break;
      case 4:
        text += fromCharCode(input[at], input[at + 1], input[at + 2], input[at + 3]);
        break;
      case 3:
        text += fromCharCode(input[at], input[at + 1], input[at + 2]);
        break;
      case 2:
        text += fromCharCode(input[at], input[at + 1]);
        break;
      case 1:
        text += fromCharCode(input[at]);
        break;
    }
    at += left;
    return text;
  };

  const readTwoByte = (size) => {
    if (size > end - at) need(size, 'a string is longer than the input');
    if (size & 1) bad('a two-byte string of odd length');
    if (size >= LONG && utf16Decoder !== null) {
      const decoded = decodeLong(utf16Decoder, size);
      if (decoded !== undefined && decoded.length === size / 2) {
        at += size;
        return decoded;
      }
    }
    let text = '';
    let left = size / 2;
    while (left > 0) {
      const count = left < CHUNK ? left : CHUNK;
      for (let i = 0; i < count; i++) {
        codes[i] = input[at] | (input[at + 1] << 8);
        at += 2;
      }
      text += flushCodes(count);
      left -= count;
    }
    return text;
  };

  /** UTF-8 with U+FFFD for every malformed part, as the Encoding Standard has it. */
  const readUtf8 = (size) => {
    if (size > end - at) need(size, 'a string is longer than the input');
    const stop = at + size;
    let text = '';
    let count = 0;
    while (at < stop) {
      const lead = input[at++];
      let code = lead;
      let more = 0;
      let low = 0x80;
      let high = 0xbf;
      if (lead >= 0x80) {
        if (lead >= 0xc2 && lead <= 0xdf) {
          more = 1;
          code = lead & 0x1f;
        } else if (lead >= 0xe0 && lead <= 0xef) {
          more = 2;
          code = lead & 0x0f;
          if (lead === 0xe0) low = 0xa0;
          if (lead === 0xed) high = 0x9f;
        } else if (lead >= 0xf0 && lead <= 0xf4) {
          more = 3;
          code = lead & 0x07;
          if (lead === 0xf0) low = 0x90;
          if (lead === 0xf4) high = 0x8f;
        } else {
          code = 0xfffd;
        }
      }
      while (more > 0) {
        if (at >= stop || input[at] < low || input[at] > high) {
          code = 0xfffd;
          break;
        }
        code = (code << 6) | (input[at++] & 0x3f);
        low = 0x80;
        high = 0xbf;
        more--;
      }
      if (code > 0xffff) {
        codes[count++] = 0xd800 + ((code - 0x10000) >> 10);
        codes[count++] = 0xdc00 + ((code - 0x10000) & 0x3ff);
      } else {
        codes[count++] = code;
      }
      if (count >= CHUNK) {
        text += flushCodes(count);
        count = 0;
      }
    }
    return count > 0 ? text + flushCodes(count) : text;
  };

  const HEX = '0123456789abcdef';

  const readBigInt = () => {
    const bits = readVarint();
    const size = (bits - (bits % 2)) / 2;
    if (size > end - at) need(size, 'a BigInt is longer than the input');
    if (toBigInt === null) bad('this engine has no BigInt');
    let hex = '0x0';
    for (let i = at + size - 1; i >= at; i--) hex += HEX[input[i] >> 4] + HEX[input[i] & 15];
    at += size;
    const value = toBigInt(hex);
    return bits % 2 === 1 ? -value : value;
  };

  /** A fresh Uint8Array with the next `size` bytes: the caller uses its input again, so nothing may point into it. */
  const copyOut = (size) => {
    if (size > end - at + pending) bad('a buffer is longer than the input');
    const copy = new Bytes(size);
    let done = 0;
    do {
      if (at === end && size > 0) need(1, '');
      const part = size - done < end - at ? size - done : end - at;
      typedSet(copy, new Bytes(inputBuffer, inputOffset + at, part), done);
      at += part;
      done += part;
    } while (done < size);
    return copy;
  };

  /** From this size on a part of a long message is worth a call. */
  const TAKEN_FROM = 1 << 16;

  /** A fresh ArrayBuffer with the next `size` bytes. */
  const bufferOut = (size) => {
    if (take === null || size < TAKEN_FROM) return typedBuffer(copyOut(size));
    const had = end - at;
    if (size > had + pending) bad('a buffer is longer than the input');
    const taken = take(base + at, size);
    if (taken === undefined) return typedBuffer(copyOut(size));
    if (size <= had) {
      at += size;
    } else {
      base += at + size;
      pending -= size - had;
      at = end = 0;
    }
    return taken;
  };

  const readTag = () => {
    let tag = readByte();
    // Padding; and `?` with a count, a hint about objects to come.
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

  /** Room in the table for an object that is being read: its number must come before those inside it. */
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
   * CreateDataProperty. A plain assignment does the same as long as no prototype knows the key, and is several times faster.
   */
  const setProperty = (object, key, value) => {
    if (key in ObjectProto) define(object, key, value, true);
    else object[key] = value;
  };

  const setElement = (array, index, value) => {
    if (!arraysOrdinary || index in ArrayProto) define(array, index, value, true);
    else array[index] = value;
  };

  /** Whether no prototype of an array has index keys, which would come first among its keys. Nothing runs between this and the end of a read. */
  const areIndicesFree = () =>
    arraysOrdinary && arrayIndex(toStringCopy(ownKeys(ArrayProto)[0])) < 0 && arrayIndex(toStringCopy(ownKeys(ObjectProto)[0])) < 0;

  /**
   * Short strings that have been read lately, two of a kind (`TWINS`) at most: who repeats them need not make them anew, nor the engine find out that it knows
   * them. Keys and values have a table each, since values differ more.
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

  /** Whether `text` is what the next `length` characters are. */
  const isNext = (text, length) => {
    if (text.length !== length) return false;
    let i = 0;
    while (i < length && charCode.call(text, i) === input[at + i]) i++;
    return i === length;
  };

  /** @param {any} table @param {number} length of a string in one-byte characters, all of which are in `input` if there are at most `SHORT` */
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

  /** Named properties of an array, up to `last`, and the two counts behind it. */
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
    // Every element takes a byte at least, also a hole.
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

  const readResizable = () => {
    const size = readVarint();
    const max = readLongVarint();
    if (size > max) bad('a buffer exceeds its own limit');
    const bytes = copyOut(size);
    if (resizables === null) resizables = newList();
    // The limit is the sender's word and reserves memory in some engines: it is kept only where the input justifies it.
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

  /** `object`, or the view that follows it if it is a buffer. */
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
    // Such a view follows its buffer's length: its own is what it was at last.
    const tracking = (flags & 1) !== 0;
    if (tracking) size = offset > total ? 0 : total - offset - ((total - offset) % entry.size);
    if (offset > total || size > total - offset || offset % entry.size !== 0 || size % entry.size !== 0) {
      bad('a view lies outside its buffer');
    }
    if (tracking && bufferResizable !== null && bufferResizable(object)) return addObject(new entry.make(object, offset));
    return addObject(new entry.make(object, offset, size / entry.size));
  };

  const readError = () => {
    const id = newId();
    let tag = readVarint();
    let make = NewError;
    if (ERROR_TAGS[tag] !== undefined) {
      make = ERROR_TAGS[tag];
      tag = readVarint();
    }
    const error = new make();
    objects[id] = error;
    // Its own would tell where the codec runs.
    define(error, 'stack', undefined, false);
    for (; tag !== 0x2e; tag = readVarint()) {
      switch (tag) {
        case 0x6d: // m
          define(error, 'message', readString(), false);
          break;
        case 0x63: // c
          define(error, 'cause', readValue(), false);
          break;
        case 0x73: // s
          define(error, 'stack', readString(), false);
          break;
        default:
          bad('an unknown part of an error');
      }
    }
    return error;
  };

  const readHost = () => {
    const kind = readVarint();
    if (kind === HOST_PORT) {
      const index = readVarint();
      if (index >= readPortCount) bad(`port ${index} did not come along`);
      return addObject(readPorts[index]);
    }
    if (kind === HOST_BLOB) return addObject(readBlob());
    if (kind === HOST_FILES) return addObject(readFiles());
    if (kind === HOST_CROSSING && crossed !== null) return crossed(readVarint(), readVarint());
    if (kind !== HOST_IMAGE) bad('an unknown host object');
    const width = readVarint();
    const height = readVarint();
    const colorSpace = readVarint();
    const size = readVarint();
    if (width === 0 || height === 0 || colorSpace > 1 || size !== width * height * 4) bad('a malformed ImageData');
    const bytes = bufferOut(size);
    if (NewImageData === null) bad('this realm has no ImageData');
    const pixels = new VIEW_NAMES.Uint8ClampedArray.make(bytes);
    const settings = createObject(null);
    settings.colorSpace = colorSpace === 1 ? 'display-p3' : 'srgb';
    return addObject(imageColorSpace ? new NewImageData(pixels, width, height, settings) : new NewImageData(pixels, width, height));
  };

  /** What WebIDL takes for a sequence of this one item, whatever has become of arrays. */
  const sequenceOf = (item) => {
    const sequence = createObject(null);
    sequence[iterator] = () => {
      let over = false;
      const steps = createObject(null);
      steps.next = () => {
        const step = createObject(null);
        step.done = over;
        step.value = over ? undefined : item;
        over = true;
        return step;
      };
      return steps;
    };
    return sequence;
  };

  const readBlob = () => {
    const kind = readVarint();
    if (kind > 1) bad('an unknown kind of blob');
    const options = createObject(null);
    options.type = readString();
    let name = '';
    if (kind === 1) {
      name = readString();
      options.lastModified = readDouble();
    }
    const size = readVarint();
    if (readBlobs !== null) {
      if (readBlobCount >= readBlobs.length) bad('there are more Blobs than were written');
      const blob = readBlobs[readBlobCount];
      readBlobCount += 3;
      return blob;
    }
    const bytes = copyOut(size);
    if (size % 2 === 1 && readByte() !== 0) bad('a blob is not padded');
    if ((kind === 1 ? NewFile : NewBlob) === null) bad('this realm has no Blob or File');
    const parts = sequenceOf(bytes);
    return kind === 1 ? new NewFile(parts, name, options) : new NewBlob(parts, options);
  };

  /** A FileList, or an array where there are none. */
  const readFiles = () => {
    const count = readVarint();
    // Each takes some bytes.
    if (count > end - at + pending) bad('a list is longer than the input');
    const transfer = NewTransfer !== null && addItem !== null ? new NewTransfer() : null;
    const items = transfer === null ? [] : transferItems(transfer);
    for (let i = 0; i < count; i++) {
      if (readByte() !== 0x5c || readVarint() !== HOST_BLOB) bad('a list of files has something else in it');
      const file = readBlob();
      if (transfer === null) define(items, i, file, true);
      else if (addItem(items, file) === null) bad('a list of files has something else in it');
    }
    return transfer === null ? items : transferFiles(transfer);
  };

  /**
   * Reads what `write`, the Rust side or V8 wrote. `bytes` is not kept.
   * @param {Uint8Array} bytes
   * @param {number} length how much of it is the message
   * @param {object[]} [ports] the ports that came along
   * @param {(start: number, size: number) => Uint8Array} [source] for a message longer than `bytes`: gives an array that begins with so many bytes
   *   of the message from `start` on; what it gave before may change then
   * @param {any[] | null} [blobs] `codec.blobs` of a `write` in this realm, whose message is read as it is: the value has those Blobs
   * @param {((start: number, size: number) => ArrayBuffer | undefined) | undefined} [maker] for a message longer than `bytes`: may give a new buffer with
   *   just those bytes of it
   * @param {((kind: number, id: number) => unknown) | undefined} [across] gives what another world of this document sent as that; runs no code of the page
   * @returns {unknown}
   * @throws {TypeError} on input that is no structured clone; the caller makes `messageerror` of it
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
      if (knownSize > WINDOW) known = knownBuffer = null;
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
})
