// Corrects the values that WebKit derives from the URL of a worker's entry, a blob: they must
// follow from the script's own URL.
(function patchBase(p, global, href) {
  'use strict'

  const { URL } = global
  const getHref = p.getter(URL.prototype, 'href')
  const isBlob = p.stringSlice(href, 0, 5) === 'blob:'

  /**
   * Resolves a URL against the worker's script. No URL can be relative to a blob; WebKit throws for
   * that itself.
   */
  const resolve = (/** @type {any} */ url) => {
    const text = p.String(url)
    if (isBlob) return text
    try {
      return getHref(new URL(text, href))
    } catch {
      return text
    }
  }

  const expose = (/** @type {object} */ on, /** @type {string} */ name, /** @type {any} */ value, /** @type {boolean} */ enumerable) =>
    p.defineProperty(on, name, { __proto__: null, value, writable: true, enumerable, configurable: true })

  /** The first object of the prototype chain of `from` that has the property. */
  const holder = (/** @type {any} */ from, /** @type {string} */ name) => {
    let at = from
    while (at !== null && p.getOwnPropertyDescriptor(at, name) === undefined) at = p.getPrototypeOf(at)
    return at
  }
  const list = (/** @type {ArrayLike<any>} */ given, /** @type {boolean} */ first) => {
    const items = p.list()
    for (let i = 0; i < given.length; i++) items[i] = i === 0 && first ? resolve(given[i]) : given[i]
    return items
  }

  /**
   * Replaces a constructor whose first argument is a URL. (For Request it may be another value,
   * which stays as it is.)
   */
  const construct = (/** @type {string} */ name, /** @type {(value: any) => boolean} */ isUrl) => {
    const Native = global[name]
    if (typeof Native !== 'function') return
    const made = {
      [name]: function (/** @type {any} */ first) {
        if (new.target === undefined) throw new p.TypeError(`Constructor ${name} requires 'new'`)
        return p.construct(Native, list(arguments, arguments.length > 0 && isUrl(first)), new.target)
      },
    }[name]
    p.setPrototypeOf(made, Native)
    p.defineProperty(made, 'length', { __proto__: null, value: 1 })
    p.defineProperty(made, 'prototype', { __proto__: null, value: Native.prototype, writable: false })
    expose(Native.prototype, 'constructor', made, false)
    expose(global, name, made, false)
  }

  const requestUrl = typeof global.Request === 'function' ? p.getter(global.Request.prototype, 'url') : undefined
  const isRequest = (/** @type {any} */ value) => {
    if (requestUrl === undefined || typeof value !== 'object' || value === null) return false
    try {
      requestUrl(value)
      return true
    } catch {
      return false
    }
  }
  const always = () => true
  construct('Request', (value) => !isRequest(value))
  construct('EventSource', always)

  if (typeof global.fetch === 'function') {
    const { fetch } = global
    const fetchers = {
      fetch(/** @type {any} */ input) {
        // An exception of the conversion rejects the promise, as fetch does with all errors.
        try {
          return p.apply(fetch, this ?? global, list(arguments, arguments.length > 0 && !isRequest(input)))
        } catch (error) {
          return new p.Promise((_, /** @type {(error: any) => void} */ reject) => reject(error))
        }
      },
    }
    expose(holder(global, 'fetch'), 'fetch', fetchers.fetch, true)
  }

  if (typeof global.XMLHttpRequest === 'function') {
    const { prototype } = global.XMLHttpRequest
    const { open } = prototype
    const methods = {
      open(/** @type {any} */ _method, /** @type {any} */ url) {
        const given = list(arguments, false)
        if (given.length > 1) given[1] = resolve(url)
        return p.apply(open, this, given)
      },
    }
    p.defineProperty(methods.open, 'length', { __proto__: null, value: 2 })
    expose(prototype, 'open', methods.open, true)
  }

  // The last error that `importScripts` threw for a call of the worker's own code.
  let refused
  const { importScripts } = global
  if (typeof importScripts === 'function') {
    const methods = {
      importScripts() {
        const urls = p.list()
        for (let i = 0; i < arguments.length; i++) urls[i] = resolve(arguments[i])
        try {
          return p.apply(importScripts, global, urls)
        } catch (error) {
          refused = error
          throw error
        }
      },
    }
    expose(holder(global, 'importScripts'), 'importScripts', methods.importScripts, true)
  }

  // `self.location`: WorkerLocation's values for the script's own URL.
  const { prototype } = global.WorkerLocation
  const own = new URL(href)
  const names = ['href', 'origin', 'protocol', 'host', 'hostname', 'port', 'pathname', 'search', 'hash']
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    const before = p.getOwnPropertyDescriptor(prototype, name)
    if (before === undefined || before.get === undefined || before.configurable === false) continue
    // A blob's origin is the page's, and the entry has it too.
    if (name === 'origin' && isBlob) continue
    const value = p.getter(URL.prototype, name)(own)
    const brand = p.uncurry(before.get)
    const accessors = {
      get [name]() {
        brand(this)
        return value
      },
    }
    const descriptor = p.getOwnPropertyDescriptor(accessors, name)
    descriptor.enumerable = true
    p.defineProperty(prototype, name, descriptor)
  }
  const brand = p.uncurry(p.getOwnPropertyDescriptor(prototype, 'href').get)
  const texts = {
    toString() {
      return brand(this)
    },
  }
  expose(prototype, 'toString', texts.toString, true)

  return {
    __proto__: null,
    /** Whether `importScripts` threw the error for a call of the worker's own code. */
    isRefused: (/** @type {any} */ error) => refused !== undefined && error === refused,
  }
})
