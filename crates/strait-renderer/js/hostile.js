// Gives the page the natives of a compromised process, as `hostile`. Only agents for tests have
// this.
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
    /** Whether the port's link bypasses main. It does once its transfer has settled. */
    isDirect: (/** @type {any} */ port) => natives.hostileIsDirect(handleOf(port)),
    /** Sends a shared buffer of this length in sealed memory, with its message, over a port, or to main. */
    sealed: (/** @type {number} */ length, times = 1, /** @type {any} */ port = undefined) =>
      natives.hostile('sealed', handleOf(port), '', length, times),
    /** Keeps copies of all descriptors that arrive from now on. */
    keep: () => natives.hostile('keep', 0, '', 0, 1),
    /** Keeps all descriptors that arrive from now on, and ignores their frames. */
    withhold: () => natives.hostile('withhold', 0, '', 0, 1),
    /** The numbers of this document in its process. */
    identity: () => {
      const [page, document, frame, nonce] = natives.hostileIdentity().split(' ')
      return { page: +page, document: +document, frame: +frame, nonce }
    },
    /**
     * Binds documents, from this number on, to the documents that a page's view (0: the caller's
     * own) has committed, through WebKit.
     */
    bind: (/** @type {number} */ document, count = 1, nonce = '', page = 0) => natives.hostileBind(page, document, count, nonce),
    /** Sends a page's view (0: the caller's own) bytes in the place of a binding. */
    view: (/** @type {string} */ bytes, times = 1, page = 0) => natives.hostileView(page, bytes, times),
    kinds: () => natives.hostileKinds().split('\n'),
  }
  p.defineProperty(global, 'hostile', { __proto__: null, value })
})
