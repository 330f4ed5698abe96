'use strict'
// Learning that an object was collected.

class Collectable {
  #objects = new Map()
  #registry

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
}

module.exports = { Collectable }
