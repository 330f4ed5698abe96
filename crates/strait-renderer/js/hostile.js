// Hands the natives of a compromised process to the page, as `hostile`. Only agents for tests have this.
(function exposeHostile(p, natives, ports, global) {
  'use strict'

  const handleOf = (/** @type {any} */ port) => (port === undefined ? 0 : ports.stateOf(port).handle)
  const value = {
    /** Sends a message, `bytes` in hexadecimal digits, with ends of new channels over a port, or the bootstrap port. */
    message: (/** @type {string} */ bytes, channels = 0, times = 1, /** @type {any} */ port = undefined) =>
      natives.hostile('message', handleOf(port), bytes, channels, times),
    /** Sends a frame, by its kind or its bytes, over the link of a port, or to main. */
    frame: (/** @type {string} */ frame, descriptors = 0, times = 1, /** @type {any} */ port = undefined) =>
      natives.hostile('frame', handleOf(port), frame, descriptors, times),
    /** Shuts down the link of a port, or to main, for sending. */
    halfClose: (/** @type {any} */ port = undefined) => natives.hostile('half-close', handleOf(port), '', 0, 1),
    /** Leaves the network in order. */
    leave: () => natives.hostile('leave', 0, '', 0, 1),
    /** Does the port's link lead past main? It does once its transfer has settled. */
    isDirect: (/** @type {any} */ port) => natives.hostileIsDirect(handleOf(port)),
    kinds: () => natives.hostileKinds().split('\n'),
  }
  p.defineProperty(global, 'hostile', { __proto__: null, value })
})
