// `window.postMessage` with stamped ports.
//
// A window message with stamped ports is sent as `[nonce, message]`. The agent keeps the handles
// under the nonce, and WebKit transfers the DOM ports. The glue of the receiving document redeems
// the handles and stamps the arrived ports. The nonce is random and useless once redeemed. No
// listener of a page runs before the glue's, so no page can read it, and no page can guess it.
(function patchWindowPostMessage(p, natives, ports, untracked, global, isMainWorld) {
  'use strict'

  const { stateOf, outgoing } = ports
  const { postMessage: nativePost } = global
  // `nativePost.call(…)` in tail position leaves no frame of the glue between the caller and
  // WebKit, which derives `event.source` from the caller's frame.
  p.defineProperty(nativePost, 'call', { __proto__: null, value: Function.prototype.call })

  const NONCE_LENGTH = 32

  const isObject = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  /**
   * The entries of `options.transfer`, or undefined. An iterator can be read only once, so all
   * later code uses the result.
   */
  const listOf = (/** @type {any} */ options) =>
    isObject(options) ? ports.transferList({ __proto__: null, transfer: options.transfer }) : undefined

  /** Writes the handles of the ports in `entries` into `outgoing`, 0 for native ports. */
  const lay = (/** @type {any[]} */ entries) => {
    let count = 0
    for (let i = 0; i < entries.length; i++) {
      if (!ports.isPort(entries[i])) continue
      if (count === ports.maximum) throw ports.cloneError('Too many ports in one message.')
      const state = stateOf(entries[i])
      outgoing[count++] = state === undefined ? 0 : state.handle
    }
    return count
  }

  const forgetAll = (/** @type {any[]} */ entries) => {
    for (let i = 0; i < entries.length; i++) {
      const state = stateOf(entries[i])
      if (state !== undefined) ports.detach(entries[i], state, true)
    }
  }

  const getOrigin = p.getter(global, 'origin')
  const urlOrigin = p.getter(p.URL.prototype, 'origin')
  const urlProtocol = p.getter(p.URL.prototype, 'protocol')
  /** Whether the window certainly has another origin than the message requires. */
  const mismatches = (/** @type {Window} */ target, /** @type {string} */ targetOrigin) => {
    if (targetOrigin === '*' || targetOrigin === '/') return false
    try {
      const url = new p.URL(targetOrigin)
      const protocol = urlProtocol(url)
      // WebKit's rules for the origins of other URLs are not known here.
      if (protocol !== 'http:' && protocol !== 'https:') return false
      const origin = getOrigin(target)
      return typeof origin === 'string' && origin !== urlOrigin(url)
    } catch {
      // A window of another origin: only WebKit can decide.
      return false
    }
  }

  // The channels of main's messages under way to this window, by nonce. Such messages need not have
  // ports.
  const spoken = { __proto__: null }
  let speaking = 0

  /**
   * Posts `message` to `target` with stamped ports of this realm and the other entries of `list`. A
   * message from main has a channel.
   */
  const send = (
    /** @type {Window} */ target,
    /** @type {any} */ message,
    /** @type {any} */ targetOrigin,
    /** @type {any} */ list,
    /** @type {string | undefined} */ channel,
  ) => {
    const entries = ports.transferList(list)
    const states = p.list()
    const handles = p.list()
    for (let i = 0; i < entries.length; i++) {
      if (ports.isDetached(entries[i])) throw ports.cloneError(`Port at index ${i} is already neutered.`)
      const state = stateOf(entries[i])
      if (state === undefined) continue
      states[states.length] = state
      handles[handles.length] = state.handle
      untracked.keep(entries[i])
    }
    const nonce = natives.stageTransfer(lay(entries), outgoing, target)
    if (nonce === '') throw ports.cloneError('A port in the transfer list cannot be transferred.')
    try {
      nativePost.call(target, [nonce, message], { __proto__: null, targetOrigin, transfer: p.sequence(entries) })
    } catch (error) {
      natives.abort(nonce)
      // A getter of the message may have closed a port, which had no effect while the port was
      // staged.
      for (let i = 0; i < states.length; i++) if (states[i].handle === 0) natives.close(handles[i])
      throw error
    }
    forgetAll(entries)
    if (channel !== undefined) {
      spoken[nonce] = channel
      speaking++
    }
    if (mismatches(target, targetOrigin)) {
      // WebKit drops the message: its ports will not be redeemed.
      natives.abort(nonce)
      for (let i = 0; i < handles.length; i++) natives.discard(handles[i])
    }
  }

  const { postMessage } = {
    postMessage(/** @type {any} */ message, /** @type {any} */ targetOrigin, /** @type {any} */ transfer) {
      const count = arguments.length
      if (count === 0) return nativePost.call(this)
      if (count === 1) return nativePost.call(this, message)
      // Every argument is read once, in the order of WebIDL, and then passed on in one form.
      let origin = targetOrigin
      let entries
      if (transfer !== undefined) {
        origin = p.String(targetOrigin)
        entries = ports.transferList(transfer)
      } else if (isObject(targetOrigin)) {
        entries = listOf(targetOrigin)
        origin = targetOrigin.targetOrigin
        origin = origin === undefined ? '/' : p.String(origin)
      } else {
        return nativePost.call(this, message, targetOrigin)
      }
      const list = p.sequence(entries)
      for (let i = 0; i < entries.length; i++) {
        if (stateOf(entries[i]) !== undefined) return send(this === undefined || this === null ? global : this, message, origin, list)
        // Another document stamped the port. If this realm may call that document, its glue sends
        // the port, as the sender.
        if (natives.forward(entries[i], this === undefined ? global : this, message, origin, list)) return undefined
      }
      return nativePost.call(this, message, { __proto__: null, targetOrigin: origin, transfer: list })
    }
  }
  p.defineProperty(postMessage, 'length', { __proto__: null, value: 1 })
  p.defineProperty(global, 'postMessage', { __proto__: null, value: postMessage, writable: true, enumerable: true, configurable: true })

  /** Whether one of the ports has no stamp. */
  const hasUnstamped = (/** @type {any} */ arrived) => {
    for (let i = 0; i < arrived.length; i++) if (stateOf(arrived[i]) === undefined) return true
    return false
  }

  // Both realms of a document stamp the arrived ports, each its own wrappers of the same DOM ports.
  // The isolated realm's listener runs first. The main realm then replaces the event by the
  // intended one.
  const receive = (/** @type {MessageEvent} */ event) => {
    if (!p.isTrusted(event)) return
    const arrived = p.eventPorts(event)
    if (arrived.length === 0 && speaking === 0) return
    const data = p.eventData(event)
    const nonce = p.isArray(data) && data.length === 2 ? data[0] : ''
    const count = typeof nonce === 'string' && nonce.length === NONCE_LENGTH ? natives.redeemTransfer(nonce) : 0
    const channel = typeof nonce === 'string' ? spoken[nonce] : undefined
    if (count === 0 && channel === undefined) {
      // They stay native ports. If one is an untracked port of Strait's, the realm that lost it
      // relays its messages from now on.
      if (!isMainWorld && hasUnstamped(arrived)) natives.untrackedArrived(p.eventSource(event))
      return
    }
    for (let i = 0; i < count && i < arrived.length; i++) {
      if (outgoing[i] !== 0 && stateOf(arrived[i]) === undefined) untracked.arrived(ports.stamp(arrived[i], outgoing[i]))
    }
    if (!isMainWorld) return
    p.stopImmediatePropagation(event)
    const meant = p.messageEvent(data[1], arrived, p.eventOrigin(event), p.eventSource(event))
    if (channel !== undefined) {
      delete spoken[nonce]
      speaking--
      p.defineProperty(meant, 'channel', { __proto__: null, value: channel, enumerable: true })
    }
    p.dispatchEvent(global, meant)
  }

  /**
   * Posts a message from main to this window, with ports of this realm. If the message cannot be
   * read, the window gets a `messageerror`.
   */
  const speak = (/** @type {string} */ channel, /** @type {() => any} */ read, /** @type {any[]} */ arrived) => {
    try {
      send(global, read(), '*', p.sequence(arrived), channel)
      return true
    } catch {
      p.dispatchEvent(global, new p.MessageEvent('messageerror', { __proto__: null, source: global }))
      return false
    }
  }

  return {
    __proto__: null,
    send,
    speak,
    /**
     * Adds the listener. If it is present, nothing changes, not even its place among the listeners.
     */
    arm: () => p.addEventListener(global, 'message', receive, true),
  }
})
