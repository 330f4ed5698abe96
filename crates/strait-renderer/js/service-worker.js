// `ServiceWorker.prototype.postMessage`: no agent reaches a service worker, so ports of Strait's in
// its messages are linked with native ports.
(function patchServiceWorkers(p, foreignPorts, global) {
  'use strict'

  // Realms of insecure contexts have no service workers.
  if (typeof global.ServiceWorker !== 'function') return
  const { prototype } = global.ServiceWorker
  const nativePost = p.uncurry(prototype.postMessage)
  const { postMessage } = {
    postMessage(/** @type {any} */ message, /** @type {any} */ options) {
      foreignPorts.post(nativePost, this, message, options, arguments.length)
    },
  }
  p.defineProperty(postMessage, 'length', { __proto__: null, value: 1 })
  p.defineProperty(prototype, 'postMessage', { __proto__: null, value: postMessage, writable: true, enumerable: true, configurable: true })
})
