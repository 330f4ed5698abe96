'use strict'
// Puts the program's globals in place and hands the loop in Rust the functions it calls.

const errors = require('strait:errors')
const timers = require('strait:timers')
const { console } = require('strait:console')

globalThis.global = globalThis
// The engine's own accessors without setters: a program that gives one of its functions a property of such a name would fail.
for (const name of ['fileName', 'lineNumber', 'columnNumber']) delete Function.prototype[name]
Object.defineProperty(globalThis, 'console', { value: console, writable: true, configurable: true, enumerable: false })
for (const [name, value] of Object.entries(timers.exported)) {
  if (name !== 'promises') Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true })
}
// An error in a microtask is the program's error, not the queue's.
globalThis.queueMicrotask = (callback) => {
  if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function.')
  Promise.resolve().then(() => {
    try {
      callback()
    } catch (error) {
      errors.uncaught(error)
    }
  })
}

const { process, runTick, announceExit, exitCode } = require('strait:process')
const ports = require('strait:ports')
const alive = require('strait:alive')
const collect = require('strait:collect')
const { runMain, isMainDone } = require('strait:module')
const work = require('strait:work')
require('strait:builtins')
const electron = require('strait:electron')

if (process.execArgv.includes('--expose-gc')) {
  Object.defineProperty(globalThis, 'gc', {
    value () {
      native.collect()
      collect.sweep()
    },
    writable: true,
    configurable: true,
    enumerable: false
  })
}

module.exports = {
  runMain,
  /** May the program be told that it is ready? Not before its entry has run, unless that waits for nothing else. */
  mayBeReady: (idle) => isMainDone() || (idle && !work.isBusy() && electron.wantsReady?.() === true),
  runTick,
  announceExit,
  exitCode,
  runTimer: timers.run,
  takeImmediates: timers.takeImmediates,
  hasImmediates: timers.hasImmediates,
  uncaught: errors.uncaught,
  trackRejection: errors.track,
  reportRejections: errors.reportRejections,
  portMessage: ports.onMessage,
  portClose: ports.onClose,
  systemDone: require('strait:system').done,
  watched: collect.watched,
  sweep: collect.sweep,
  isAlive: alive.isAlive,
  beforeExit: () => { process.emit('beforeExit', exitCode()) },
  end () {
    announceExit(exitCode())
    native.finish(exitCode())
  },
  event: electron.dispatch
}
