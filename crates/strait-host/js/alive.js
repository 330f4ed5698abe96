'use strict'
// What keeps a process alive that ends when it has nothing left to do (a child; main lives until it quits). Timers, immediates and ports are
// asked, and so is what has been started outside of the loop.

const timers = require('strait:timers')
const ports = require('strait:ports')
const work = require('strait:work')

/** @type {(() => boolean)[]} */
const watched = []

module.exports = {
  /** Asks `test` too. */
  watch (test) { watched.push(test) },
  /** This port keeps nothing alive by itself. */
  disregard: ports.disregard,
  /** Whether there is anything left that can make something happen. */
  isAlive: () => work.count() > 0 || timers.isAlive() || ports.isAlive() || watched.some((test) => test())
}
