// `Function.prototype.toString` shows the glue's functions as native code, like the functions that
// they replace. Libraries that check whether a feature is native need that. So does the codec,
// which distinguishes objects of the platform from a program's by their constructors.
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

  /**
   * Dresses the functions and accessors of `owner`, or a prototype of it, under each of `names`.
   * Missing names are skipped.
   */
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

  /**
   * Call it without arguments when everything has been replaced. Call it with a later function of
   * the glue and its name to dress that one.
   */
  return (/** @type {Function | undefined} */ late, /** @type {string} */ name) => {
    if (late !== undefined) return dress(late, name)

    dressAll(p.MessagePort.prototype, PORT)
    dressAll(global, GLOBAL)
    if (typeof global.Document === 'function') dressAll(global.Document.prototype, ['open', 'write', 'writeln'])
    if (typeof global.ServiceWorker === 'function') dressAll(global.ServiceWorker.prototype, ['postMessage'])
    if (typeof global.Worker === 'function') dressAll(global.Worker.prototype, ['postMessage', 'terminate'])
  }
})
