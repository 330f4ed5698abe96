'use strict'
// Node's `assert` (https://nodejs.org/api/assert.html). Unequal values are shown one below the
// other, without a comparison of their lines.

const { inspect } = require('strait:inspect')
const { coded, received, wrongType, wrongValue } = require('strait:errors')
const { isDeepEqual, isDeepStrictEqual } = require('strait:deep-equal')

/**
 * The texts for a failed comparison: if both values fit into the line, and as the heading of longer
 * values.
 * @type {Record<string, [string, string]>}
 */
const WORDS = {
  strictEqual: ['!==', 'Expected values to be strictly equal:'],
  deepStrictEqual: ['should deep-equal', 'Expected values to be strictly deep-equal:'],
  deepEqual: ['should loosely deep-equal', 'Expected values to be loosely deep-equal:'],
  notStrictEqual: ['', 'Expected "actual" to be strictly unequal to:'],
  notDeepStrictEqual: ['', 'Expected "actual" not to be strictly deep-equal to:'],
  notDeepEqual: ['', 'Expected "actual" not to be loosely deep-equal to:'],
}

const isPrimitive = (/** @type {any} */ value) => (typeof value !== 'object' && typeof value !== 'function') || value === null

/** @param {any} actual @param {any} expected @param {string} operator */
const describe = (actual, expected, operator) => {
  const words = WORDS[operator]
  if (words === undefined) return `${inspect(actual)} ${operator} ${inspect(expected)}`
  const [between, head] = words
  if (between === '') return isPrimitive(expected) ? `${head} ${inspect(expected)}` : `${head}\n\n${inspect(expected)}\n`
  if (operator === 'strictEqual' && isDeepStrictEqual(actual, expected) && !isPrimitive(actual)) return `Values have same structure but are not reference-equal:\n\n${inspect(actual)}\n`
  if (operator !== 'deepEqual' && isPrimitive(actual) && isPrimitive(expected)) return `${head}\n\n${inspect(actual)} !== ${inspect(expected)}\n`
  return `${head}\n\n${inspect(actual)}\n\n${between}\n\n${inspect(expected)}`
}

class AssertionError extends Error {
  /** @param {any} options */
  constructor(options) {
    if (typeof options !== 'object' || options === null) throw wrongType('options', 'of type object', options)
    const { message, actual, expected, operator } = options
    super(message === undefined || message === null ? describe(actual, expected, operator) : String(message))
    Object.defineProperty(this, 'name', { value: 'AssertionError', writable: true, configurable: true })
    this.generatedMessage = message === undefined || message === null
    this.code = 'ERR_ASSERTION'
    this.actual = actual
    this.expected = expected
    this.operator = operator
  }

  toString() {
    return `${this.name} [${this.code}]: ${this.message}`
  }
}

/** @param {any} options */
const fail = (options) => {
  const { message, isOurs } = options
  if (message instanceof Error) throw message
  const error = new AssertionError(options)
  if (isOurs) error.generatedMessage = true
  throw error
}

const missing = (/** @type {string} */ names) => coded(TypeError, 'ERR_MISSING_ARGS', `The ${names} must be specified`)

/**
 * Makes a function that compares two values and throws if they differ.
 * @param {string} operator @param {(one: any, other: any) => boolean} holds
 */
const comparison = (operator, holds) => (/** @type {any[]} */ ...given) => {
  if (given.length < 2) throw missing('"actual" and "expected" arguments')
  const [actual, expected, message] = given
  if (!holds(actual, expected)) fail({ actual, expected, message, operator })
}

const looselyEqual = (/** @type {any} */ one, /** @type {any} */ other) => one == other || (one !== one && other !== other)

function ok(/** @type {any[]} */ ...given) {
  const [value, message] = given
  if (given.length === 0) fail({ message: 'No value argument passed to `assert.ok()`', actual: undefined, expected: true, operator: '==', isOurs: true })
  if (!value) fail({ actual: value, expected: true, message, operator: '==' })
}
const assert = /** @type {any} */ (ok.bind(undefined))

/** @param {any} actual @param {any} expected @param {any} message @param {string} operator */
const check = (actual, expected, message, operator) => {
  const failed = (/** @type {string} */ text) => fail({ actual, expected, operator, message: message ?? text, isOurs: message === undefined })
  if (expected instanceof RegExp) {
    if (expected.test(String(actual))) return
    return failed(`The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(actual))}\n`)
  }
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && actual instanceof expected) return
    if (expected === Error || Error.isPrototypeOf(expected)) {
      const [name, text] = [actual?.constructor?.name ?? inspect(actual), actual?.message]
      return failed(`The error is expected to be an instance of "${expected.name}". Received ${actual instanceof Error ? `"${name}"\n\nError message:\n\n${text}` : `"${inspect(actual, { depth: -1 })}"`}`)
    }
    if (expected.call({}, actual) === true) return
    const whose = expected.name === '' ? 'The validation function' : `The "${expected.name}" validation function`
    return failed(`${whose} is expected to return "true". Received ${inspect(expected.call({}, actual))}${actual instanceof Error ? `\n\nCaught error:\n\n${actual}` : ''}`)
  }
  if (typeof actual !== 'object' || actual === null) return fail({ actual, expected, operator: 'deepStrictEqual', message })
  const keys = Object.keys(expected)
  if (expected instanceof Error) keys.push('name', 'message')
  else if (keys.length === 0) throw wrongValue('error', expected, 'may not be an empty object')
  for (const key of keys) {
    const wanted = expected[key]
    if (typeof actual[key] === 'string' && wanted instanceof RegExp && wanted.test(actual[key])) continue
    if (key in actual && isDeepStrictEqual(actual[key], wanted)) continue
    fail({ actual, expected, operator, message: message ?? `${describe(pick(actual, keys), pick(expected, keys), 'deepStrictEqual')}`, isOurs: message === undefined })
  }
}

/** @param {any} value @param {string[]} keys */
const pick = (value, keys) => Object.fromEntries(keys.filter((key) => key in value).map((key) => [key, value[key]]))

const NONE = Symbol('nothing was thrown')

/** @param {any} action */
const thrownBy = (action) => {
  if (typeof action !== 'function') throw wrongType('fn', 'of type function', action)
  try {
    action()
  } catch (error) {
    return error
  }
  return NONE
}

/** @param {any} action */
const rejectedBy = async (action) => {
  let promise = action
  if (typeof action === 'function') {
    promise = action()
    if (typeof promise?.then !== 'function') throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected instance of Promise to be returned from the "promiseFn" function but got ${received(promise).slice('Received '.length)}.`)
  } else if (typeof action?.then !== 'function') {
    throw wrongType('promiseFn', 'of type function or an instance of Promise', action)
  }
  try {
    await promise
  } catch (error) {
    return error
  }
  return NONE
}

/** @param {any} error @param {string} operator @param {any} expected @param {any} message */
const expectError = (error, operator, expected, message) => {
  if (typeof expected === 'string') [expected, message] = [undefined, expected]
  if (expected !== undefined && expected !== null && typeof expected !== 'object' && typeof expected !== 'function') throw wrongType('error', 'of type function or an instance of Error, RegExp, or Object', expected)
  if (error === NONE) {
    const name = expected?.name ? ` (${expected.name})` : ''
    const text = `Missing expected ${operator === 'rejects' ? 'rejection' : 'exception'}${name}${message === undefined ? '.' : `: ${message}`}`
    fail({ actual: undefined, expected, operator, message: message instanceof Error ? message : text })
  }
  if (expected !== undefined && expected !== null) check(error, expected, message, operator)
}

/** @param {any} error @param {string} operator @param {any} expected @param {any} message */
const expectNone = (error, operator, expected, message) => {
  if (error === NONE) return
  if (typeof expected === 'string') [expected, message] = [undefined, expected]
  if (typeof expected === 'function' && !(error instanceof expected) || expected instanceof RegExp && !expected.test(String(error))) throw error
  const what = operator === 'doesNotReject' ? 'rejection' : 'exception'
  fail({ actual: error, expected, operator, message: `Got unwanted ${what}${message === undefined ? '.' : `: ${message}`}\nActual message: "${error?.message}"` })
}

/** @param {string} operator @param {boolean} wanted */
const matching = (operator, wanted) => (/** @type {any} */ text, /** @type {any} */ pattern, /** @type {any} */ message) => {
  if (!(pattern instanceof RegExp)) throw wrongType('regexp', 'an instance of RegExp', pattern)
  if (typeof text === 'string' && pattern.test(text) === wanted) return
  const said = typeof text !== 'string'
    ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
    : `${wanted ? 'The input did not match' : 'The input was expected to not match'} the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`
  fail({ actual: text, expected: pattern, operator, message: message ?? said, isOurs: message === undefined })
}

const methods = {
  ok,
  AssertionError,
  equal: comparison('==', looselyEqual),
  notEqual: comparison('!=', (one, other) => !looselyEqual(one, other)),
  strictEqual: comparison('strictEqual', Object.is),
  notStrictEqual: comparison('notStrictEqual', (one, other) => !Object.is(one, other)),
  deepEqual: comparison('deepEqual', isDeepEqual),
  notDeepEqual: comparison('notDeepEqual', (one, other) => !isDeepEqual(one, other)),
  deepStrictEqual: comparison('deepStrictEqual', isDeepStrictEqual),
  notDeepStrictEqual: comparison('notDeepStrictEqual', (one, other) => !isDeepStrictEqual(one, other)),
  match: matching('match', true),
  doesNotMatch: matching('doesNotMatch', false),
  throws: (/** @type {any} */ action, /** @type {any} */ expected, /** @type {any} */ message) => expectError(thrownBy(action), 'throws', expected, message),
  doesNotThrow: (/** @type {any} */ action, /** @type {any} */ expected, /** @type {any} */ message) => expectNone(thrownBy(action), 'doesNotThrow', expected, message),
  rejects: async (/** @type {any} */ action, /** @type {any} */ expected, /** @type {any} */ message) => expectError(await rejectedBy(action), 'rejects', expected, message),
  doesNotReject: async (/** @type {any} */ action, /** @type {any} */ expected, /** @type {any} */ message) => expectNone(await rejectedBy(action), 'doesNotReject', expected, message),
  fail: (/** @type {any} */ message) => fail({ message: message ?? 'Failed', operator: 'fail', isOurs: message === undefined }),
  ifError(/** @type {any} */ value) {
    if (value === null || value === undefined) return
    const text = typeof value === 'object' && typeof value.message === 'string' ? value.message || value.constructor?.name : inspect(value)
    fail({ actual: value, expected: null, operator: 'ifError', message: `ifError got unwanted exception: ${text}` })
  },
}
Object.assign(assert, methods)
const { strictEqual: equal, deepStrictEqual: deepEqual, notStrictEqual: notEqual, notDeepStrictEqual: notDeepEqual } = methods
assert.strict = Object.assign(ok.bind(undefined), methods, { equal, deepEqual, notEqual, notDeepEqual })
assert.strict.strict = assert.strict

module.exports = assert
