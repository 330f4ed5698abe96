'use strict'
// Callbacks for listeners that are added to emitters or removed from them.

const ADDERS = ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']
const REMOVERS = ['off', 'removeListener', 'removeAllListeners']

/** Calls `after(emitter, type)` after each call of one of these methods of `constructor`. */
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
  /**
   * Calls `begin(emitter)` after each listener for `type` that any method adds to an instance of
   * `constructor`.
   */
  whenListened: (constructor, type, begin) => follow(constructor, ADDERS, (emitter, event) => { if (event === type) begin(emitter) }),
  /**
   * Calls `look(emitter)` after each listener that any method adds to an instance of `constructor`
   * or removes from it.
   */
  whenListenersChange: (constructor, look) => follow(constructor, [...ADDERS, ...REMOVERS], look)
}
