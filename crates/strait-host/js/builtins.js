'use strict'
// The modules that `require` answers itself: the runtime's native ones, completed with what programs commonly use beyond them.

const { define } = require('strait:module')
const EventEmitter = require('strait:events')
const inspecting = require('strait:inspect')
const { Console, console } = require('strait:console')
const timers = require('strait:timers')
const work = require('strait:work')

function callbackify (promised) {
  return (...args) => {
    const callback = args.pop()
    if (typeof callback !== 'function') throw Object.assign(new TypeError('The "callback" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' })
    promised(...args).then((value) => timers.exported.setImmediate(callback, null, value), (error) => timers.exported.setImmediate(callback, error))
  }
}

/** What Node says of each error number. */
const REASONS = {
  ENOENT: ['no such file or directory', /not found|No such file|does not exist/i],
  EACCES: ['permission denied', /permission denied/i],
  EEXIST: ['file already exists', /exists/i],
  EISDIR: ['illegal operation on a directory', /is a directory/i],
  ENOTDIR: ['not a directory', /not a directory/i],
  ENOTEMPTY: ['directory not empty', /not empty/i]
}

/** Errors of the runtime's file functions carry no code, but programs look at `error.code`. */
function withCode (error, call, file) {
  if (!(error instanceof Error) || error.code !== undefined || typeof file !== 'string') return error
  const code = Object.keys(REASONS).find((key) => REASONS[key][1].test(error.message))
  if (code === undefined) return error
  error.message = `${code}: ${REASONS[code][0]}, ${call} '${file}'`
  return Object.assign(error, { code, syscall: call, path: file })
}

function coded (name, operation) {
  const plain = name.replace(/Sync$/, '')
  const call = /File$/.test(plain) ? 'open' : plain === 'readdir' ? 'scandir' : plain.toLowerCase()
  return (...args) => {
    let result
    try {
      result = operation(...args)
    } catch (error) {
      throw withCode(error, call, args[0])
    }
    if (!(result instanceof Promise)) return result
    const done = work.begin()
    return result.then((value) => {
      done()
      return value
    }, (error) => {
      done()
      throw withCode(error, call, args[0])
    })
  }
}

function makeFs () {
  const fs = {}
  for (const [name, value] of Object.entries(native.builtin('fs'))) fs[name] = typeof value === 'function' ? coded(name, value) : value
  const promises = {}
  for (const [name, value] of Object.entries(native.builtin('fs/promises'))) promises[name] = typeof value === 'function' ? coded(name, value) : value
  fs.existsSync = (file) => native.pathKind(String(file)) !== 0
  fs.unlinkSync = (file) => fs.rmSync(file)
  promises.unlink = (file) => promises.rm(file)
  fs.realpathSync = (file) => native.realPath(String(file))
  promises.realpath = async (file) => native.realPath(String(file))
  const bytes = (data) => typeof data === 'string' ? globalThis.Buffer.from(data) : data
  fs.appendFileSync = (file, data) => fs.writeFileSync(file, fs.existsSync(file) ? globalThis.Buffer.concat([fs.readFileSync(file), bytes(data)]) : data)
  promises.appendFile = async (file, data) => fs.appendFileSync(file, data)
  fs.copyFileSync = (from, to) => fs.writeFileSync(to, fs.readFileSync(from))
  promises.copyFile = async (from, to) => promises.writeFile(to, await promises.readFile(from))
  for (const [name, value] of Object.entries(promises)) if (typeof value === 'function') fs[name] ??= callbackify(value)
  fs.promises = promises
  return fs
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
    isDeepStrictEqual: deepEqual,
    types,
    TextEncoder: globalThis.TextEncoder,
    TextDecoder: globalThis.TextDecoder
  }
}

/** Structural equality with SameValue for primitives. */
function deepEqual (left, right, seen = new Map()) {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false
  if (seen.get(left) === right) return true
  seen.set(left, right)
  if (left instanceof Date && left.getTime() !== right.getTime()) return false
  if (left instanceof RegExp && String(left) !== String(right)) return false
  if (left instanceof Error && (left.message !== right.message || left.name !== right.name)) return false
  if (left instanceof ArrayBuffer) return deepEqual(new Uint8Array(left), new Uint8Array(right), seen)
  if (left instanceof Map) {
    return left.size === right.size && [...left].every(([key, value]) => right.has(key) && deepEqual(value, right.get(key), seen))
  }
  if (left instanceof Set) {
    return left.size === right.size && [...left].every((item) => right.has(item) || [...right].some((other) => deepEqual(item, other, seen)))
  }
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && deepEqual(left[key], right[key], seen))
}

function makeAssert () {
  class AssertionError extends Error {
    constructor ({ message, actual, expected, operator }) {
      super(message)
      Object.assign(this, { name: 'AssertionError', code: 'ERR_ASSERTION', actual, expected, operator, generatedMessage: false })
    }
  }
  const fail = (message, fallback, actual, expected, operator) => {
    if (message instanceof Error) throw message
    throw new AssertionError({ message: message ?? fallback(), actual, expected, operator })
  }
  const show = inspecting.inspect
  const assert = (value, message) => { if (!value) fail(message, () => 'The expression evaluated to a falsy value', value, true, '==') }
  const compare = (operator, test, text) => (actual, expected, message) => {
    if (!test(actual, expected)) fail(message, () => `${text}\n\nactual:   ${show(actual)}\nexpected: ${show(expected)}\n`, actual, expected, operator)
  }
  const matches = (error, expected) => {
    if (expected === undefined) return true
    if (expected instanceof RegExp) return expected.test(String(error))
    if (typeof expected === 'function') return expected.prototype !== undefined && error instanceof expected ? true : Error.isPrototypeOf(expected) ? false : expected.call({}, error) === true
    return Object.keys(expected).every((key) => expected[key] instanceof RegExp ? expected[key].test(error[key]) : deepEqual(error[key], expected[key]))
  }
  const rejectsWith = (error, expected, message) => {
    if (!matches(error, expected)) fail(message, () => `The error does not match: ${show(error)}`, error, expected, 'throws')
  }
  Object.assign(assert, {
    ok: assert,
    AssertionError,
    fail: (message) => fail(message, () => 'Failed', undefined, undefined, 'fail'),
    equal: compare('strictEqual', Object.is, 'Expected values to be equal:'),
    strictEqual: compare('strictEqual', Object.is, 'Expected values to be strictly equal:'),
    notStrictEqual: compare('notStrictEqual', (left, right) => !Object.is(left, right), 'Expected values to be different:'),
    deepEqual: compare('deepStrictEqual', (left, right) => deepEqual(left, right), 'Expected values to be deeply equal:'),
    deepStrictEqual: compare('deepStrictEqual', (left, right) => deepEqual(left, right), 'Expected values to be deeply equal:'),
    notDeepStrictEqual: compare('notDeepStrictEqual', (left, right) => !deepEqual(left, right), 'Expected values not to be deeply equal:'),
    match: compare('match', (text, pattern) => pattern.test(text), 'The text does not match:'),
    throws (operation, expected, message) {
      try {
        operation()
      } catch (error) {
        rejectsWith(error, expected, message)
        return
      }
      fail(message, () => 'Missing expected exception.', undefined, expected, 'throws')
    },
    doesNotThrow: (operation) => operation(),
    async rejects (promised, expected, message) {
      try {
        await (typeof promised === 'function' ? promised() : promised)
      } catch (error) {
        rejectsWith(error, expected, message)
        return
      }
      fail(message, () => 'Missing expected rejection.', undefined, expected, 'rejects')
    }
  })
  assert.strict = assert
  return assert
}

define(['assert', 'assert/strict'], makeAssert)
define(['buffer'], () => ({ Buffer: globalThis.Buffer, ...native.builtin('buffer') }))
define(['child_process'], () => require('strait:child-process').exports)
define(['console'], () => Object.assign(console, { Console }))
define(['crypto'], () => require('strait:crypto'))
define(['events'], () => EventEmitter)
define(['fs'], makeFs)
define(['fs/promises'], () => makeFs().promises)
define(['net'], () => require('strait:net'))
define(['os'], () => ({ ...native.builtin('os') }))
define(['path', 'path/posix'], () => {
  const path = { ...native.builtin('path') }
  path.posix = path
  return path
})
define(['perf_hooks'], () => ({ performance: globalThis.performance }))
define(['process'], () => globalThis.process)
define(['string_decoder'], () => ({ ...native.builtin('string_decoder') }))
define(['timers'], () => timers.exported)
define(['timers/promises'], () => timers.promises)
define(['url'], () => ({ ...native.builtin('url'), URL: globalThis.URL, URLSearchParams: globalThis.URLSearchParams }))
define(['util'], makeUtil)

require('strait:crypto')
require('strait:process-information')
