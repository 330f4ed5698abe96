'use strict'
// Emitters that do something when somebody listens, or does not any more.

const ADDERS = ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']
const REMOVERS = ['off', 'removeListener', 'removeAllListeners']

/** Calls `after(emitter, type)` whenever one of these methods of `constructor` has been called. */
function follow (constructor, methods, after) {
  for (const name of methods) {
    const method = constructor.prototype[name]
    Object.defineProperty(constructor.prototype, name, {
      value (...args) {
        Reflect.apply(method, this, args)
        after(this, args[0])
        return this
      },
      writable: true,
      configurable: true
    })
  }
}

module.exports = {
  /** Calls `begin(emitter)` after each listener for `type` that is added to an instance of `constructor`, whichever way. */
  whenListened: (constructor, type, begin) => follow(constructor, ADDERS, (emitter, event) => { if (event === type) begin(emitter) }),
  /** Calls `look(emitter)` after each listener that is added to or removed from an instance of `constructor`, whichever way. */
  whenListenersChange: (constructor, look) => follow(constructor, [...ADDERS, ...REMOVERS], look)
}
