'use strict'
// Node's `util` (https://nodejs.org/api/util.html).

const { inspect, format, formatWith } = require('strait:inspect')
const { coded, wrongType, refusals } = require('strait:errors')

/** @type {any} */
const custom = Symbol.for('nodejs.util.promisify.custom')

/** @param {any} value @param {string} name */
const checkFunction = (value, name) => {
  if (typeof value !== 'function') throw wrongType(name, 'of type function', value)
}

/**
 * Makes a function look like another one, except for its behaviour.
 * @param {Function} made @param {Function} original
 */
const like = (made, original) => {
  Object.setPrototypeOf(made, Object.getPrototypeOf(original))
  return Object.defineProperties(made, Object.getOwnPropertyDescriptors(original))
}

const promisify = (/** @type {any} */ original) => {
  checkFunction(original, 'original')
  const own = original[custom]
  if (own) {
    checkFunction(own, 'util.promisify.custom')
    return Object.defineProperty(own, custom, { value: own, configurable: true })
  }
  const made = /** @this {any} */ function (/** @type {any[]} */ ...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (/** @type {any} */ error, /** @type {any} */ value) => (error ? reject(error) : resolve(value))])
    })
  }
  return Object.defineProperty(like(made, original), custom, { value: made, configurable: true })
}
promisify.custom = custom

const callbackify = (/** @type {any} */ original) => {
  checkFunction(original, 'original')
  const made = /** @this {any} */ function (/** @type {any[]} */ ...args) {
    const callback = args.pop()
    checkFunction(callback, 'The last argument')
    Reflect.apply(original, this, args).then(
      (/** @type {any} */ value) => process.nextTick(callback, null, value),
      (/** @type {any} */ reason) => process.nextTick(callback, reason || Object.assign(coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value'), { reason }))
    )
  }
  like(made, original)
  if (typeof original.length === 'number') Object.defineProperty(made, 'length', { value: original.length + 1, configurable: true })
  if (typeof original.name === 'string') Object.defineProperty(made, 'name', { value: `${original.name}Callbackified`, configurable: true })
  return made
}

const inherits = (/** @type {any} */ constructor, /** @type {any} */ parent) => {
  if (constructor === undefined || constructor === null) throw wrongType('ctor', 'of type function', constructor)
  if (parent === undefined || parent === null) throw wrongType('superCtor', 'of type function', parent)
  if (parent.prototype === undefined) throw wrongType('superCtor.prototype', 'of type object', parent.prototype)
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true })
  Object.setPrototypeOf(constructor.prototype, parent.prototype)
}

const tagOf = (/** @type {any} */ value) => (typeof value === 'object' && value !== null ? Object.prototype.toString.call(value).slice(8, -1) : '')
const isA = (/** @type {string[]} */ ...tags) => (/** @type {any} */ value) => tags.includes(tagOf(value))
const tagOfFunction = (/** @type {any} */ value) => (typeof value === 'function' ? Object.prototype.toString.call(value).slice(8, -1) : '')
const viewTag = /** @type {any} */ (Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)).get
/** The actual class of a view, which the object cannot change. @param {any} value */
const viewOf = (value) => viewTag.call(value)
const VIEWS = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']

const types = {
  isAnyArrayBuffer: isA('ArrayBuffer', 'SharedArrayBuffer'),
  isArgumentsObject: isA('Arguments'),
  isArrayBuffer: isA('ArrayBuffer'),
  isArrayBufferView: (/** @type {any} */ value) => ArrayBuffer.isView(value),
  isAsyncFunction: (/** @type {any} */ value) => ['AsyncFunction', 'AsyncGeneratorFunction'].includes(tagOfFunction(value)),
  isBigIntObject: isA('BigInt'),
  isBooleanObject: isA('Boolean'),
  isBoxedPrimitive: isA('Number', 'String', 'Boolean', 'BigInt', 'Symbol'),
  isDataView: (/** @type {any} */ value) => ArrayBuffer.isView(value) && viewOf(value) === undefined,
  isDate: isA('Date'),
  isGeneratorFunction: (/** @type {any} */ value) => ['GeneratorFunction', 'AsyncGeneratorFunction'].includes(tagOfFunction(value)),
  isGeneratorObject: isA('Generator', 'AsyncGenerator'),
  isMap: isA('Map'),
  isMapIterator: isA('Map Iterator'),
  isNativeError: (/** @type {any} */ value) => value instanceof Error || tagOf(value) === 'Error',
  isNumberObject: isA('Number'),
  isPromise: isA('Promise'),
  isRegExp: isA('RegExp'),
  isSet: isA('Set'),
  isSetIterator: isA('Set Iterator'),
  isSharedArrayBuffer: isA('SharedArrayBuffer'),
  isStringObject: isA('String'),
  isSymbolObject: isA('Symbol'),
  isTypedArray: (/** @type {any} */ value) => ArrayBuffer.isView(value) && viewOf(value) !== undefined,
  isWeakMap: isA('WeakMap'),
  isWeakSet: isA('WeakSet'),
  ...Object.fromEntries(VIEWS.map((name) => [`is${name}`, (/** @type {any} */ value) => viewOf(value) === name])),
  ...refusals('util', 'isCryptoKey isExternal isKeyObject isModuleNamespaceObject isProxy'),
}

/** Escape sequences of terminals: with parameters, with a text, of one letter. */
const ESCAPES = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\^_]/g

/** Prints only if NODE_DEBUG contains the section's name. @param {string} section */
const debuglog = (section) => {
  const names = (process.env.NODE_DEBUG ?? '').split(',').map((name) => name.trim().toUpperCase())
  const enabled = names.includes(String(section).toUpperCase())
  const log = (/** @type {any[]} */ ...args) => { if (enabled) console.error(`${String(section).toUpperCase()} ${process.pid}: ${format(...args)}`) }
  return Object.assign(log, { enabled })
}

module.exports = {
  inspect,
  format,
  formatWithOptions: (/** @type {any} */ options, /** @type {any[]} */ ...args) => formatWith(options, ...args),
  promisify,
  callbackify,
  inherits,
  deprecate: (/** @type {Function} */ operation) => operation,
  isDeepStrictEqual: (/** @type {any} */ one, /** @type {any} */ other) => require('strait:deep-equal').isDeepStrictEqual(one, other),
  parseArgs: (/** @type {any} */ config) => require('strait:parse-args')(config),
  types,
  debuglog,
  debug: debuglog,
  stripVTControlCharacters: (/** @type {string} */ text) => text.replace(ESCAPES, ''),
  toUSVString: (/** @type {any} */ text) => String(text).toWellFormed(),
  isArray: Array.isArray,
  TextEncoder,
  TextDecoder,
  ...refusals('util', 'MIMEType MIMEParams aborted getSystemErrorMap getSystemErrorName parseEnv styleText transferableAbortController transferableAbortSignal'),
}
