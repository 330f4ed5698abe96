'use strict'
// The page's own timers, and Node's immediates in their terms (https://nodejs.org/api/timers.html).

const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis

module.exports = {
  setTimeout: setTimeout.bind(globalThis),
  clearTimeout: clearTimeout.bind(globalThis),
  setInterval: setInterval.bind(globalThis),
  clearInterval: clearInterval.bind(globalThis),
  setImmediate: (/** @type {Function} */ callback, /** @type {any[]} */ ...args) => setTimeout(() => callback(...args), 0),
  clearImmediate: clearTimeout.bind(globalThis),
}
