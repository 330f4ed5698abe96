// `Function.prototype.toString` shows the glue's functions as the ones they stand for: native code. Libraries that look whether a
// feature is real must find it so, and so must the codec, which tells the platform's objects from a program's by their constructors.
(function makeNativeLook(p, global) {
  'use strict'

  const texts = new p.WeakMap()
  const functionPrototype = global.Function.prototype
  const { toString: nativeToString } = functionPrototype

  const dress = (/** @type {Function} */ f, /** @type {string} */ name) => p.weakMapSet(texts, f, `function ${name}() {\n    [native code]\n}`)

  const { toString } = {
    toString() {
      const text = p.weakMapGet(texts, this)
      return text === undefined ? p.apply(nativeToString, this, arguments) : text
    },
  }
  dress(toString, 'toString')
  p.defineProperty(functionPrototype, 'toString', { __proto__: null, value: toString, writable: true, enumerable: false, configurable: true })

  /** Dresses what `owner`, or a prototype of it, has under each of `names`: a function, or an accessor's two. What is not there is left out. */
  const dressAll = (/** @type {any} */ owner, /** @type {string[]} */ names) => {
    for (let i = 0; i < names.length; i++) {
      let found
      for (let at = owner; found === undefined && at !== null; at = p.getPrototypeOf(at)) found = p.getOwnPropertyDescriptor(at, names[i])
      if (found === undefined) continue
      if (typeof found.value === 'function') dress(found.value, names[i])
      if (found.get !== undefined) dress(found.get, `get ${names[i]}`)
      if (found.set !== undefined) dress(found.set, `set ${names[i]}`)
    }
  }

  const PORT = ['postMessage', 'start', 'close', 'onmessage', 'onclose', 'addEventListener', 'removeEventListener', 'dispatchEvent']
  const GLOBAL = ['MessageChannel', 'open', 'postMessage', 'structuredClone', 'Worker', 'close', 'fetch', 'importScripts', 'Request', 'XMLHttpRequest', 'EventSource']

  /** To be called when everything has been replaced; and for a function of the glue's that comes later, with it and its name. */
  return (/** @type {Function | undefined} */ late, /** @type {string} */ name) => {
    if (late !== undefined) return dress(late, name)

    dressAll(p.MessagePort.prototype, PORT)
    dressAll(global, GLOBAL)
    if (typeof global.Document === 'function') dressAll(global.Document.prototype, ['open', 'write', 'writeln'])
    if (typeof global.ServiceWorker === 'function') dressAll(global.ServiceWorker.prototype, ['postMessage'])
    if (typeof global.Worker === 'function') dressAll(global.Worker.prototype, ['postMessage', 'terminate'])
  }
})
