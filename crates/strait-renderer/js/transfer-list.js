// The second argument of `postMessage`, converted as in WebIDL: `sequence<object>`, or a dictionary
// with a member `transfer` of that type.
(function makeTransferList(p) {
  'use strict'

  const isObject = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  const PLAIN = p.list()

  /**
   * Whether this is an ordinary array. Such an array is read in place, so a page's changes to
   * `Array.prototype` have no effect on its transfer lists.
   */
  const isPlainArray = (/** @type {any} */ source) =>
    p.isArray(source) && p.getPrototypeOf(source) === p.arrayPrototype && p.getOwnPropertyDescriptor(source, p.iterator) === undefined

  /**
   * Appends the entries of `source` to `entries`. They come from its iterator method, unless it is
   * a plain array.
   */
  const iterate = (/** @type {any[]} */ entries, /** @type {any} */ source, /** @type {any} */ method) => {
    const add = (/** @type {any} */ entry) => {
      if (!isObject(entry)) throw new p.TypeError('An entry of the transfer list is not an object')
      entries[entries.length] = entry
    }
    if (method === PLAIN) {
      for (let i = 0; i < source.length; i++) add(source[i])
      return entries
    }
    const iterator = p.apply(method, source, [])
    if (!isObject(iterator)) throw new p.TypeError('The iterator of the transfer list is not an object')
    const { next } = iterator
    for (;;) {
      const step = p.apply(next, iterator, [])
      if (!isObject(step)) throw new p.TypeError('The iterator of the transfer list gave no object')
      if (step.done) return entries
      add(step.value)
    }
  }

  /** The method at `Symbol.iterator`, `PLAIN` for a plain array, or undefined if there is none. */
  const iteratorOf = (/** @type {any} */ source) => {
    if (isPlainArray(source)) return PLAIN
    const method = source[p.iterator]
    if (method === undefined || method === null) return undefined
    if (typeof method !== 'function') throw new p.TypeError('The transfer list is not iterable')
    return method
  }

  /** @returns {any[]} the list's entries, all objects, in a list without prototype */
  return (/** @type {any} */ options) => {
    const entries = p.list()
    if (options === undefined || options === null) return entries
    if (!isObject(options)) throw new p.TypeError('The transfer list is not an object')
    const method = iteratorOf(options)
    if (method !== undefined) return iterate(entries, options, method)
    const { transfer } = options
    if (transfer === undefined) return entries
    const inner = isObject(transfer) ? iteratorOf(transfer) : undefined
    if (inner === undefined) throw new p.TypeError('The transfer list is not iterable')
    return iterate(entries, transfer, inner)
  }
})
