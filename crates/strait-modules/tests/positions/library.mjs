// What the generated modules import: one value that can be called, constructed, iterated, used as a tag, a base class, a key and an object.
const log = globalThis.note

const make = (name) => {
  const called = (receiver, values) => {
    log(`${name} called on ${receiver === undefined ? 'undefined' : Object.prototype.toString.call(receiver)} with ${values.length}`)
    return made
  }
  const made = function (...values) {
    if (new.target === undefined) return called(this, values)
    log(`${name} constructed with ${values.length}`)
    this.made = true
  }
  Object.defineProperty(made, 'name', { value: name })
  Object.defineProperty(made, Symbol.toPrimitive, { value: (hint) => hint === 'number' ? 7 : name })
  Object.defineProperty(made, Symbol.iterator, { value: function * () { yield 1; yield 2 } })
  return made
}

export const it = make('it')
export default it
export { it as 'odd name', it as __proto__ }
export let count = 0
export const add = () => ++count

/** Undoes what a case has changed. */
export const reset = () => {
  for (const name of Object.keys(it)) delete it[name]
  count = 0
  Object.assign(it, {
    x: 1,
    z: { deep: true },
    self: it,
    method () {
      log(`method on ${this === it ? 'it' : Object.prototype.toString.call(this)}`)
      return it
    }
  })
}
