// `window.open`: reports name and features to the agent, because WebKit does not report them. A
// window that the program refuses is null.
(function patchWindowOpen(p, natives, global) {
  'use strict'

  const { open: nativeOpen } = global
  /** Converts each argument once, as in WebIDL: later reads get a string. */
  const text = (/** @type {any} */ value, /** @type {string} */ fallback) => (value === undefined ? fallback : `${value}`)

  const { open } = {
    open(/** @type {any} */ url, /** @type {any} */ target, /** @type {any} */ features) {
      const given = p.list()
      given[0] = text(url, '')
      given[1] = text(target, '_blank')
      given[2] = features === null ? '' : text(features, '')
      natives.opening(given[1], given[2])
      let opened
      let refused
      try {
        opened = p.apply(nativeOpen, this, given)
      } finally {
        refused = natives.opened()
      }
      return refused ? null : opened
    },
  }
  p.defineProperty(open, 'length', { __proto__: null, value: 0 })
  p.defineProperty(global, 'open', { __proto__: null, value: open, writable: true, enumerable: true, configurable: true })
})
