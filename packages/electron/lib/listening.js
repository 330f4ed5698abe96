'use strict'
// Emitters that begin something when somebody listens.

const EventEmitter = require('events')

const ADDERS = ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']

module.exports = {
  /** Calls `begin(emitter)` after each listener for `type` that is added to an instance of `constructor`, whichever way. */
  whenListened (constructor, type, begin) {
    for (const name of ADDERS) {
      const add = EventEmitter.prototype[name]
      Object.defineProperty(constructor.prototype, name, {
        value (event, listener) {
          Reflect.apply(add, this, [event, listener])
          if (event === type) begin(this)
          return this
        },
        writable: true,
        configurable: true
      })
    }
  }
}
