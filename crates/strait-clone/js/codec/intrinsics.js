// The engine's functions that the codec uses, captured before any script of the page has run.
//
// `env` has these members; all but the first two are optional:
//
// - `cloneError: (message: string) => unknown` makes the error that `write` throws.
// - `isPort: (value: object) => boolean` recognises this realm's ports.
// - `isPlatform: (value: object) => boolean` recognises objects of the host that must not be
//   cloned.
// - `isProxy: (value: object) => boolean` recognises Proxy objects, which `write` refuses. Scripts
//   cannot distinguish them from other objects.
// - `detach: (buffer: ArrayBuffer) => void` detaches an ArrayBuffer, for engines without
//   `ArrayBuffer.prototype.transfer`.
// - `blobBytes: (blob: Blob) => Uint8Array` reads a Blob synchronously, where that is possible.
//
// These members are functions of the engine that are faster than the codec's own:
//
// - `isDense: (array: unknown[]) => boolean` returns whether the array's own enumerable string keys
//   are exactly its indices.
// - `oneByteText: (bytes: Uint8Array, start: number, stop: number) => string` returns the Latin-1
//   text of the bytes from `start` to `stop`.
// - `putTwoByteText: (bytes: Uint8Array, at: number, text: string) => void` writes the text's
//   UTF-16 code units at `at`, low byte first. There is enough room.
// - `newBytes: (size: number) => Uint8Array` makes an array with arbitrary content.

const global = globalThis;
const { apply, getPrototypeOf, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const setPrototypeOf = Object.setPrototypeOf;
/**
 * @param {Function} f
 * @returns {(self: any, ...args: any[]) => any} `f` with `this` as its first argument
 */
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
 * `f.call(self, …)` for a captured method that is called often. The method is looked up through
 * `super` on an object of the codec, and `call` is the function's own property. Engines inline all
 * of that, but not a function that `uncurry` returns. That one takes twenty times as long, too long
 * for every character of every string.
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
const setDouble = direct({
  __proto__: { __proto__: null, setFloat64: DataView.prototype.setFloat64 },
  /** @param {number} at @param {number} value */
  set(at, value) {
    super.setFloat64(at, value, true);
  },
}.set);
const getDouble = direct({
  __proto__: { __proto__: null, getFloat64: DataView.prototype.getFloat64 },
  /** @param {number} at */
  get(at) {
    return super.getFloat64(at, true);
  },
}.get);
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
/** The buffer of a WebAssembly memory can never be detached. */
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
/**
 * A decoder that refuses malformed input; null if the engine has none, or if the decoder accepts
 * the malformed input `probe`.
 */
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
// Only a DataTransfer can make a FileList, and workers have none.
const NewTransfer = typeof DataTransfer === 'function' ? DataTransfer : null;
const transferItems = getter(NewTransfer && NewTransfer.prototype, 'items');
const transferFiles = getter(NewTransfer && NewTransfer.prototype, 'files');
const addItem = typeof DataTransferItemList === 'function' ? method(DataTransferItemList, 'add') : null;

const { cloneError, isPort } = env;
const blobBytes = typeof env.blobBytes === 'function' ? env.blobBytes : null;
const isPlatform = typeof env.isPlatform === 'function' ? env.isPlatform : null;
const isProxy = typeof env.isProxy === 'function' ? env.isProxy : null;
const isDenseNatively = typeof env.isDense === 'function' ? env.isDense : null;
const oneByteText = typeof env.oneByteText === 'function' ? env.oneByteText : null;
const putTwoByteText = typeof env.putTwoByteText === 'function' ? env.putTwoByteText : null;
const newBytes = typeof env.newBytes === 'function' ? env.newBytes : null;
const detachByHost = typeof env.detach === 'function' ? env.detach : null;

/** @returns {any[]} a list without a prototype, which can safely grow by index */
const newList = () => setPrototypeOf([], null);

const descriptor = createObject(null);
descriptor.value = undefined;
descriptor.writable = true;
descriptor.configurable = true;
descriptor.enumerable = true;
/** CreateDataProperty, which does not depend on the present prototypes. */
const define = (object, key, value, enumerable) => {
  descriptor.value = value;
  descriptor.enumerable = enumerable;
  defineProperty(object, key, descriptor);
  descriptor.value = undefined;
};
