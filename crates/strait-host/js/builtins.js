'use strict'
// The modules that `require` answers itself: the runtime's native ones, completed with what programs commonly use beyond them.

const { define } = require('strait:module')
const EventEmitter = require('strait:events')
const inspecting = require('strait:inspect')
const { Console, console } = require('strait:console')
const timers = require('strait:timers')
const { load } = require('strait:node')

function callbackify (promised) {
  return (...args) => {
    const callback = args.pop()
    if (typeof callback !== 'function') throw Object.assign(new TypeError('The "callback" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' })
    promised(...args).then((value) => timers.exported.setImmediate(callback, null, value), (error) => timers.exported.setImmediate(callback, error))
  }
}

function makeUtil () {
  const promisify = (original) => original[promisify.custom] ?? function (...args) {
    return new Promise((resolve, reject) => original.call(this, ...args, (error, value) => error ? reject(error) : resolve(value)))
  }
  promisify.custom = Symbol.for('nodejs.util.promisify.custom')
  const tag = (value) => Object.prototype.toString.call(value).slice(8, -1)
  const types = {
    isPromise: (value) => value instanceof Promise,
    isDate: (value) => value instanceof Date,
    isRegExp: (value) => value instanceof RegExp,
    isMap: (value) => value instanceof Map,
    isSet: (value) => value instanceof Set,
    isNativeError: (value) => value instanceof Error,
    isArrayBuffer: (value) => value instanceof ArrayBuffer,
    isAnyArrayBuffer: (value) => value instanceof ArrayBuffer || tag(value) === 'SharedArrayBuffer',
    isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
    isUint8Array: (value) => value instanceof Uint8Array,
    isAsyncFunction: (value) => tag(value) === 'AsyncFunction',
    isGeneratorFunction: (value) => tag(value) === 'GeneratorFunction'
  }
  return {
    ...native.builtin('util'),
    inspect: inspecting.inspect,
    format: inspecting.format,
    formatWithOptions: (options, ...args) => inspecting.formatWith(options, ...args),
    promisify,
    callbackify: (promised) => function (...args) { return callbackify(promised.bind(this))(...args) },
    inherits (constructor, parent) {
      Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true })
      Object.setPrototypeOf(constructor.prototype, parent.prototype)
    },
    deprecate: (operation) => operation,
    isDeepStrictEqual: load('strait:deep-equal').isDeepStrictEqual,
    types,
    TextEncoder: globalThis.TextEncoder,
    TextDecoder: globalThis.TextDecoder
  }
}

// What pages have too.
for (const name of ['assert', 'assert/strict', 'buffer', 'crypto', 'fs', 'fs/promises', 'os', 'string_decoder']) define([name], () => load(name))

/** The engine's encoder throws at half a pair of UTF-16 units, where the standard has it say U+FFFD. */
for (const name of ['encode', 'encodeInto']) {
  const { [name]: encode } = globalThis.TextEncoder.prototype
  const value = { [name] (text = '', ...rest) { return Reflect.apply(encode, this, [String(text).toWellFormed(), ...rest]) } }[name]
  Object.defineProperty(globalThis.TextEncoder.prototype, name, { value, writable: true, configurable: true, enumerable: true })
}

/** Made when it is first used: programs that do not use it pay nothing. */
let ownBuffer
Object.defineProperty(globalThis, 'Buffer', {
  get: () => ownBuffer === undefined ? load('buffer').Buffer : ownBuffer.value,
  set (value) { ownBuffer = { value } },
  configurable: true,
  enumerable: false
})

define(['child_process'], () => require('strait:child-process').exports)
define(['console'], () => Object.assign(console, { Console }))
define(['events'], () => EventEmitter)
define(['net'], () => require('strait:net'))
define(['path', 'path/posix'], () => {
  const path = { ...native.builtin('path') }
  path.posix = path
  return path
})
define(['perf_hooks'], () => ({ performance: globalThis.performance }))
define(['process'], () => globalThis.process)
define(['timers'], () => timers.exported)
define(['timers/promises'], () => timers.promises)
define(['url'], () => ({ ...native.builtin('url'), URL: globalThis.URL, URLSearchParams: globalThis.URLSearchParams }))
define(['util'], makeUtil)

require('strait:webcrypto')
require('strait:process-information')
