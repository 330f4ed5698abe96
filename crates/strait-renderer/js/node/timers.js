'use strict'
// Timers for Node's modules: the page's own timers, and immediates made of them
// (https://nodejs.org/api/timers.html).

const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis

module.exports = {
  setTimeout: setTimeout.bind(globalThis),
  clearTimeout: clearTimeout.bind(globalThis),
  setInterval: setInterval.bind(globalThis),
  clearInterval: clearInterval.bind(globalThis),
  setImmediate: (/** @type {Function} */ callback, /** @type {any[]} */ ...args) => setTimeout(() => callback(...args), 0),
  clearImmediate: clearTimeout.bind(globalThis),
}
