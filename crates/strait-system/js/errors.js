'use strict'
// Errors with Node's codes and texts (https://nodejs.org/api/errors.html#nodejs-error-codes), for
// the other modules.

const { inspect } = require('strait:inspect')

/**
 * Makes an error of this class with a code. The name shows the code where Node's does.
 * @param {any} Class
 * @param {string} code
 * @param {string} message
 */
const coded = (Class, code, message) => Object.assign(new Class(message), { code })

/** @param {any} value */
const received = (value) => {
  if (value === null || value === undefined) return `Received ${value}`
  if (typeof value === 'function') return `Received function ${value.name}`
  if (typeof value === 'object') {
    const name = value.constructor?.name
    return name ? `Received an instance of ${name}` : `Received ${inspect(value, { depth: -1 })}`
  }
  const shown = inspect(value)
  return `Received type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`
}

/** @param {string} name @param {string} expected @param {any} value */
const wrongType = (name, expected, value) => {
  const what = name.includes(' ') ? name : `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `${what} must be ${expected}. ${received(value)}`)
}

/** @param {string} name @param {any} value */
const wrongValue = (name, value, reason = 'is invalid') =>
  coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${inspect(value)}`)

/** Formats a value; large numbers get separators between thousands. @param {any} value */
const marked = (value) => {
  const isLarge = typeof value === 'bigint' ? value > 2n ** 32n || value < -(2n ** 32n) : Number.isInteger(value) && Math.abs(value) > 2 ** 32
  const text = isLarge ? String(value).replace(/\B(?=(\d{3})+$)/g, '_') : typeof value === 'bigint' ? String(value) : inspect(value)
  return typeof value === 'bigint' ? `${text}n` : text
}

/** @param {string} name @param {string} range @param {any} value */
const outOfRange = (name, range, value) =>
  coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${marked(value)}`)

/** @param {any} value @param {string} name */
const checkInteger = (value, name, least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER) => {
  if (typeof value !== 'number') throw wrongType(name, 'of type number', value)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value)
}

/**
 * Functions that exist under these names and throw an error that names the missing feature.
 * @param {string} module @param {string} names
 */
const refusals = (module, names) => {
  const all = names.split(' ').map((name) => [name, () => {
    throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `${module}.${name} is not supported by Strait (docs/node-modules.md#${module.split('/')[0]})`)
  }])
  return Object.fromEntries(all)
}

module.exports = { coded, received, wrongType, wrongValue, outOfRange, checkInteger, refusals }
