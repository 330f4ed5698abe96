'use strict'
// What programs use most of Node's `util` (https://nodejs.org/api/util.html).

const { inspect, format, formatWith } = require('strait:inspect')

const promisify = (/** @type {any} */ original) => {
  if (typeof original !== 'function') throw new TypeError('The "original" argument must be of type function')
  const own = original[promisify.custom]
  if (typeof own === 'function') return own
  return function (/** @type {any[]} */ ...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (/** @type {any} */ error, /** @type {any} */ value) => (error ? reject(error) : resolve(value))])
    })
  }
}
promisify.custom = Symbol.for('nodejs.util.promisify.custom')

const inherits = (/** @type {Function} */ constructor, /** @type {Function} */ parent) => {
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true })
  Object.setPrototypeOf(constructor.prototype, parent.prototype)
}

module.exports = {
  inspect,
  format,
  formatWithOptions: formatWith,
  promisify,
  inherits,
  deprecate: (/** @type {Function} */ operation) => operation,
  TextEncoder,
  TextDecoder,
}
