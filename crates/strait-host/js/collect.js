'use strict'
// Learning that an object was collected. QuickJS frees most objects when their last reference goes, and then calls finalization
// registries; objects in cycles are found by its collector, which does not. So the weak references are also looked through after each
// collection (the loop in Rust runs one regularly while there is something to find).

/** @type {Collectable[]} */
const all = []

class Collectable {
  #objects = new Map()
  #tokens = new Map()
  #gone
  #registry

  /** @param {(id: number) => void} gone called once for each id whose object was collected */
  constructor (gone) {
    this.#gone = gone
    this.#registry = new FinalizationRegistry((id) => this.#collected(id))
    all.push(this)
  }

  watch (object, id) {
    // A token of its own: the engine holds tokens strongly.
    const token = {}
    this.#objects.set(id, new WeakRef(object))
    this.#tokens.set(id, token)
    this.#registry.register(object, id, token)
  }

  /** The object, while it is watched and alive. */
  get (id) { return this.#objects.get(id)?.deref() }

  /** Stops watching. */
  forget (id) {
    if (!this.#objects.delete(id)) return
    this.#registry.unregister(this.#tokens.get(id))
    this.#tokens.delete(id)
  }

  get size () { return this.#objects.size }

  sweep () {
    for (const [id, reference] of [...this.#objects]) if (reference.deref() === undefined) this.#collected(id)
  }

  #collected (id) {
    if (!this.#objects.has(id)) return
    this.forget(id)
    this.#gone(id)
  }
}

module.exports = {
  Collectable,
  /** How many objects are watched. */
  watched: () => all.reduce((sum, { size }) => sum + size, 0),
  /** After a collection. */
  sweep () { for (const collectable of all) collectable.sweep() }
}
