// A realm with one end of the bridge between worlds, for `bridge.rs`: what is beside it in a page is as little as will do.
(makeCodec, makePrimordials, makeContextBridge) => {
  'use strict'

  class Event {
    constructor() {
      Object.defineProperty(this, 'isTrusted', { get: () => true })
    }
    preventDefault() {}
    stopImmediatePropagation() {}
  }
  class EventTarget {
    addEventListener() {}
    removeEventListener() {}
    dispatchEvent() {}
  }
  class MessageEvent extends Event {
    get ports() {}
    get data() {}
    get origin() {}
    get source() {}
    initMessageEvent() {}
  }
  class MessageChannel {
    get port1() {}
    get port2() {}
  }
  class DOMException extends Error {
    get name() {
      return 'DataCloneError'
    }
    get message() {
      return ''
    }
  }
  class AbortSignal {
    get aborted() {}
  }
  const queueMicrotask = (f) => Promise.resolve().then(f)
  const MessagePort = EventTarget
  const doubles = { Event, EventTarget, MessageEvent, MessageChannel, MessagePort, DOMException, AbortSignal, queueMicrotask }
  const p = makePrimordials(Object.setPrototypeOf(doubles, globalThis))

  /** A realm that has exposed `echo`, `fail` and `count`, and the agent's part of it. The numbers of the functions are 3, 4 and 5. */
  return () => {
    let inbox = new Uint8Array(0)
    let answers = []
    let moved = 0
    const handled = new Set()
    const ports = {
      outgoing: new Uint32Array(64),
      maximum: 64,
      cloneError: (message) => new Error(message),
      isPort: (value) => handled.has(value),
      isBuffer: () => false,
      isDetached: () => false,
      handleFor: () => ++moved,
      surrender() {},
      adopt(handle) {
        const port = { handle }
        handled.add(port)
        return port
      },
    }
    const codec = makeCodec({ cloneError: ports.cloneError, isPort: ports.isPort })
    let reply = () => undefined
    const natives = {
      bridgeCall: (id, bytes, length) => reply(id, bytes.slice(0, length)),
      bridgePorts: () => 0,
      bridgeAnswer: (ok, bytes, length) => void answers.push([ok, bytes.slice(0, length)]),
      bridgeSettle() {},
      bridgeRelease() {},
      bridgeCompile: (source) => () => source,
      discard() {},
    }
    const calls = []
    const passage = { bring: () => 0, take: () => undefined, taken() {}, forget() {}, await() {} }
    const bridge = makeContextBridge(p, natives, codec, ports, () => passage, () => undefined, () => inbox, false, globalThis)

    const none = p.list()
    const clone = (value) => codec.buffer.slice(0, codec.write(value, none))
    const functions = [(value) => value, () => { throw new Error('mine') }, (...args) => { calls.push(args.length); return args.length }]
    // What the page's world answers to `exposeInMainWorld`.
    const nothing = clone([undefined])
    reply = () => {
      inbox = nothing
      return nothing.length
    }
    bridge.call(bridge.EXPOSE, p.array(Object.setPrototypeOf(['api', functions], null)))

    const hand = (bytes) => {
      inbox = bytes
    }
    return {
      /** The other world calls `id`: how many answers there were, and the last. */
      invoke(id, bytes, count) {
        hand(bytes)
        answers = []
        bridge.invoke(id, bytes.length, count)
        if (answers.length !== 1) return `${answers.length} answers`
        return answers[0][0]
      },
      settle(id, ok, bytes, count) {
        hand(bytes)
        bridge.settle(id, ok, bytes.length, count)
      },
      release: (id, count) => bridge.release(id, count),
      /** This world calls `id` of the other one, which answers with these bytes, as a result or as what was thrown. */
      call(id, ok, bytes) {
        reply = () => {
          hand(bytes)
          return ok ? bytes.length : -bytes.length
        }
        try {
          const value = bridge.call(id, p.array(Object.setPrototypeOf([1, 'two'], null)))
          return ok ? typeof value : 'no error'
        } catch (error) {
          return error instanceof Error
        }
      },
      /** An honest call of `echo`, which must go on working. */
      works() {
        const bytes = clone([[[1, 'two', { three: 3 }]]])
        if (this.invoke(3, bytes, 0) !== true) return false
        const [, answer] = answers[0]
        const value = codec.read(answer, answer.length, none)[0]
        return JSON.stringify(value) === JSON.stringify([1, 'two', { three: 3 }])
      },
    }
  }
}
