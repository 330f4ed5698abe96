// window.postMessage, taught about stamped ports.
//
// A window message with stamped ports travels as `[nonce, message]`: the agent keeps the handles under the nonce, the DOM ports go
// natively, and the glue of whichever document gets them redeems the handles and stamps the ports that arrived. The nonce is random
// and worth nothing once redeemed, and no listener of a page runs before ours: so it is never seen and cannot be guessed.
(function patchWindowPostMessage(p, natives, ports, untracked, global, isMainWorld) {
  'use strict'

  const { stateOf, outgoing } = ports
  const { postMessage: nativePost } = global
  // `nativePost.call(…)` in tail position leaves no frame of ours between the caller and WebKit, which takes `event.source` from there.
  p.defineProperty(nativePost, 'call', { __proto__: null, value: Function.prototype.call })

  const NONCE_LENGTH = 32

  const isObject = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  /** What `options.transfer` lists, or undefined. A list may be gone once it has been read: from here on only the result is used. */
  const listOf = (/** @type {any} */ options) =>
    isObject(options) ? ports.transferList({ __proto__: null, transfer: options.transfer }) : undefined

  /** Puts the handles of the ports in `entries` into `outgoing`, 0 for those that are not ours. */
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
  /** Does the window certainly not have the origin that a message is meant for? */
  const mismatches = (/** @type {Window} */ target, /** @type {string} */ targetOrigin) => {
    if (targetOrigin === '*' || targetOrigin === '/') return false
    try {
      const url = new p.URL(targetOrigin)
      const protocol = urlProtocol(url)
      // What WebKit makes of the origins of other URLs is its own affair.
      if (protocol !== 'http:' && protocol !== 'https:') return false
      const origin = getOrigin(target)
      return typeof origin === 'string' && origin !== urlOrigin(url)
    } catch {
      // A window of another origin: only WebKit knows.
      return false
    }
  }

  // Messages from main that are on their way to this window: the channel of each under its nonce. They need not have ports.
  const spoken = { __proto__: null }
  let speaking = 0

  /** Posts `message` with stamped ports of this realm, and whatever else is in `list`, to `target`: with a channel, if it is one of main's. */
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
      // What a getter of the message closed was out of reach while it was under way.
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
      // Everything is read once, in the order of WebIDL, and then handed on in one form.
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
        // A port stamped in another document that may call us: that document's glue sends it, in its own name.
        if (natives.forward(entries[i], this === undefined ? global : this, message, origin, list)) return undefined
      }
      return nativePost.call(this, message, { __proto__: null, targetOrigin: origin, transfer: list })
    }
  }
  p.defineProperty(postMessage, 'length', { __proto__: null, value: 1 })
  p.defineProperty(global, 'postMessage', { __proto__: null, value: postMessage, writable: true, enumerable: true, configurable: true })

  /** Is one of them without a stamp? */
  const hasUnstamped = (/** @type {any} */ arrived) => {
    for (let i = 0; i < arrived.length; i++) if (stateOf(arrived[i]) === undefined) return true
    return false
  }

  // Both realms of a document stamp what arrived, each its own wrapper of the same DOM ports. The isolated realm's listener runs
  // first; the page's own realm then replaces the event by the one that was meant.
  const receive = (/** @type {MessageEvent} */ event) => {
    if (!p.isTrusted(event)) return
    const arrived = p.eventPorts(event)
    if (arrived.length === 0 && speaking === 0) return
    const data = p.eventData(event)
    const nonce = p.isArray(data) && data.length === 2 ? data[0] : ''
    const count = typeof nonce === 'string' && nonce.length === NONCE_LENGTH ? natives.redeemTransfer(nonce) : 0
    const channel = typeof nonce === 'string' ? spoken[nonce] : undefined
    if (count === 0 && channel === undefined) {
      // They stay ports of WebKit's own. If one is a port of ours that left unseen, the realm that lost it relays its messages from now on.
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

  /** Sends this window a message of main's, whose ports are this realm's; if it cannot be had, a `messageerror`. */
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
    /** Listens; where it listens already, nothing changes, not even its place among the listeners. */
    arm: () => p.addEventListener(global, 'message', receive, true),
  }
})
