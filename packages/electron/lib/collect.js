'use strict'
// Learning that an object was collected.

const v8 = require('v8')
const vm = require('vm')

/** V8 collects nothing while a program is idle, and others wait for what a collection ends. There is one after this time, in milliseconds, then after twice as long... */
const FIRST = 1000
/** ... and at the latest after this. */
const LAST = 60000

/** The engine's collector, which programs get only if they ask for it. @returns {(options: object) => unknown} */
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
    // The reference is the token: the object itself would be held by it.
    this.#registry.register(object, id, reference)
    this.#delay = FIRST
    this.#collectLater()
  }

  /** The object, while it is watched and alive. */
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
