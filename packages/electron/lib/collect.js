'use strict'
// Notifications of collected objects.

const v8 = require('v8')
const vm = require('vm')

/**
 * V8 collects nothing while a program is idle, but a collection may end something that another
 * process waits for. So a collection runs after this time, in milliseconds. The time then doubles
 * after each collection.
 */
const FIRST = 1000
/** The longest time between two collections, in milliseconds. */
const LAST = 60000

/**
 * The engine's collector, which is hidden from programs that do not request it.
 * @returns {(options: object) => unknown}
 */
function collector () {
  v8.setFlagsFromString('--expose-gc')
  return vm.runInNewContext('gc')
}
let collect

class Collectable {
  #objects = new Map()
  #registry
  #timer
  #delay = FIRST

  /** @param {(id: number) => void} gone called once for each id whose object was collected */
  constructor (gone) {
    this.#registry = new FinalizationRegistry((id) => {
      if (this.#objects.delete(id)) gone(id)
    })
  }

  watch (object, id) {
    const reference = new WeakRef(object)
    this.#objects.set(id, reference)
    // The reference is the token, because the registry would keep the object itself alive.
    this.#registry.register(object, id, reference)
    this.#delay = FIRST
    this.#collectLater()
  }

  /** The object with this id, if it is watched and alive. */
  get (id) { return this.#objects.get(id)?.deref() }

  /** Stops watching. */
  forget (id) {
    const reference = this.#objects.get(id)
    if (reference === undefined) return
    this.#objects.delete(id)
    this.#registry.unregister(reference)
  }

  #collectLater () {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#objects.size === 0) return
      collect ??= collector()
      collect({ type: 'major', execution: 'async' })
      this.#delay = Math.min(this.#delay * 2, LAST)
      this.#collectLater()
    }, this.#delay)
    this.#timer.unref()
  }
}

module.exports = { Collectable }
