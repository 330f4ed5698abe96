'use strict'
// The modules that pages have too, from one text (the crate `strait-system`): each is evaluated when it is first asked for. What they require of their host is here.

/** What no program can replace: the same functions as the pages' glue has. */
const uncurry = Function.prototype.bind.bind(Function.prototype.call)
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype)
const getter = (name) => uncurry(Object.getOwnPropertyDescriptor(TypedArray, name).get)
const p = {
  apply: Reflect.apply,
  defineProperty: Reflect.defineProperty,
  setPrototypeOf: Object.setPrototypeOf,
  Promise,
  TypeError,
  queueMicrotask: globalThis.queueMicrotask,
  setBytes: uncurry(Uint8Array.prototype.set),
  bytesLength: getter('byteLength')
}

/** What takes an engine that interprets too long: see `encodings.js` there. */
const codec = { encode: native.encodeText, decode: native.decodeBytes, compare: native.compareBytes }

const given = {
  __proto__: null,
  events: () => require('strait:events'),
  path: () => native.builtin('path'),
  url: () => native.builtin('url'),
  'strait:inspect': () => require('strait:inspect'),
  'strait:natives': () => ({ p, codec, fileStreams: true }),
  'strait:system': () => require('strait:system')
}
const made = new Map()

/** A module by its name in that crate. */
function load (name) {
  if (name in given) return given[name]()
  let module = made.get(name)
  if (module === undefined) {
    module = { exports: {} }
    made.set(name, module)
    try {
      native.compile(`(function (exports, require, module, process) { ${native.moduleText(name)}\n})`, `strait:${name}`).call(module.exports, module.exports, load, module, globalThis.process)
    } catch (error) {
      made.delete(name)
      throw error
    }
  }
  return module.exports
}

module.exports = { load }
