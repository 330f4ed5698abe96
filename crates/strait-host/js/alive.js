'use strict'
// What keeps a process alive that ends when it has nothing left to do (a child; main lives until it quits). Timers, immediates and ports are
// asked; promises of native operations are counted while they are pending.

const timers = require('strait:timers')
const ports = require('strait:ports')

let pending = 0
/** @type {(() => boolean)[]} */
const watched = []

module.exports = {
  /** Keeps the process alive until the promise settles. It counts as handled then. */
  hold (promise) {
    pending++
    const done = () => { pending-- }
    promise.then(done, done)
  },
  /** Asks `test` too. */
  watch (test) { watched.push(test) },
  /** This port keeps nothing alive by itself. */
  disregard: ports.disregard,
  /** Whether there is anything left that can make something happen. */
  isAlive: () => pending > 0 || timers.isAlive() || ports.isAlive() || watched.some((test) => test())
}
