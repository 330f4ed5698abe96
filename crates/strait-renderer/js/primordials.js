// The globals that the glue uses, captured before any script of the page has run.
//
// All other files use these alone. No method is looked up on an object that a page can change, no
// array is iterated, and objects for the platform have no prototype. `uncurry(f)` is a function
// that takes f's `this` as its first argument.
(function makePrimordials(global) {
  'use strict'

  const { call, bind } = Function.prototype
  /** @type {(f: Function) => Function} */
  const uncurry = bind.bind(call)
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, has, ownKeys } = Reflect
  const { setPrototypeOf } = Object
  const getter = (/** @type {object} */ prototype, /** @type {string} */ name) => uncurry(getOwnPropertyDescriptor(prototype, name).get)

  const arrayPrototype = Array.prototype
  const { EventTarget, Event, MessageEvent, MessagePort, MessageChannel, DOMException, Promise } = global

  /** An array without a prototype, so `list[i] = x` cannot call a page's setter. */
  const list = () => setPrototypeOf([], null)

  /** The same list as an ordinary array, for programs. */
  const array = (/** @type {any[]} */ items) => setPrototypeOf(items, arrayPrototype)

  /** A sequence for WebIDL that does not depend on `Array.prototype[Symbol.iterator]`. */
  const { iterator } = Symbol
  const sequence = (/** @type {any[]} */ items) => {
    const { length } = items
    return {
      __proto__: null,
      [iterator]() {
        let at = 0
        return {
          __proto__: null,
          next: () => (at < length ? { __proto__: null, done: false, value: items[at++] } : { __proto__: null, done: true, value: undefined }),
        }
      },
    }
  }

  // `isTrusted` is an accessor of each event itself, which no page can replace. One event's getter
  // works for all events.
  const isTrusted = uncurry(getOwnPropertyDescriptor(new Event('x'), 'isTrusted').get)

  const { charCodeAt } = String.prototype
  const codeAt = uncurry(charCodeAt)
  const isDigit = (/** @type {number} */ code) => code >= 48 && code <= 57
  const isLetter = (/** @type {number} */ code) => (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || code === 36
  /**
   * Whether the name is valid in a program without quotes. (Regular expressions would look up
   * `exec` on a prototype.)
   */
  const isIdentifier = (/** @type {string} */ name) => {
    for (let i = 0; i < name.length; i++) {
      const code = codeAt(name, i)
      if (!isLetter(code) && (i === 0 || !isDigit(code))) return false
    }
    return name !== ''
  }
  /** Whether the name consists of decimal digits. */
  const isIndex = (/** @type {string} */ name) => {
    for (let i = 0; i < name.length; i++) if (!isDigit(codeAt(name, i))) return false
    return name !== ''
  }

  const eventPorts = getter(MessageEvent.prototype, 'ports')
  const initMessageEvent = uncurry(MessageEvent.prototype.initMessageEvent)
  /**
   * A `message` event with these ports, a list.
   *
   * `initMessageEvent` is several times faster than the constructor's dictionary, and faster still
   * without ports. WebIDL treats undefined data as left out, which becomes null; so `data` is
   * defined on the event. The event's ports are read once, because only then does the event keep
   * their stamped objects. A page that keeps the event may read them later.
   */
  const messageEvent = (/** @type {any} */ data, /** @type {any[]} */ ports, origin = '', /** @type {any} */ source = null) => {
    const event = new MessageEvent('message')
    if (ports.length === 0) initMessageEvent(event, 'message', false, false, data, origin, '', source)
    else {
      initMessageEvent(event, 'message', false, false, data, origin, '', source, sequence(ports))
      eventPorts(event)
    }
    if (data === undefined) defineProperty(event, 'data', { __proto__: null, value: undefined, configurable: true, enumerable: true })
    return event
  }

  return {
    __proto__: null,
    uncurry,
    apply,
    construct,
    defineProperty,
    getOwnPropertyDescriptor,
    getPrototypeOf,
    ownKeys,
    setPrototypeOf,
    getter,
    list,
    array,
    sequence,
    iterator,
    call,
    has,
    isArray: Array.isArray,
    functionToString: uncurry(Function.prototype.toString),
    symbolToString: uncurry(Symbol.prototype.toString),
    objectToString: uncurry(Object.prototype.toString),
    stringSlice: uncurry(String.prototype.slice),
    lastIndexOf: uncurry(String.prototype.lastIndexOf),
    startsWith: uncurry(String.prototype.startsWith),
    toStringTag: Symbol.toStringTag,
    isIdentifier,
    isIndex,
    freeze: Object.freeze,
    Error: global.Error,
    TypeError: global.TypeError,
    RangeError: global.RangeError,
    SyntaxError: global.SyntaxError,
    ReferenceError: global.ReferenceError,
    String: global.String,
    ArrayBuffer: global.ArrayBuffer,
    Uint8Array: global.Uint8Array,
    Uint32Array: global.Uint32Array,
    WeakRef: global.WeakRef,
    FinalizationRegistry: global.FinalizationRegistry,
    deref: uncurry(global.WeakRef.prototype.deref),
    register: uncurry(global.FinalizationRegistry.prototype.register),
    unregister: uncurry(global.FinalizationRegistry.prototype.unregister),
    URL: global.URL,
    WeakSet: global.WeakSet,
    weakSetHas: uncurry(global.WeakSet.prototype.has),
    weakSetAdd: uncurry(global.WeakSet.prototype.add),
    WeakMap: global.WeakMap,
    weakMapGet: uncurry(global.WeakMap.prototype.get),
    weakMapSet: uncurry(global.WeakMap.prototype.set),
    arrayPrototype,
    objectPrototype: Object.prototype,
    byteLength: getter(global.ArrayBuffer.prototype, 'byteLength'),
    slice: uncurry(global.Uint8Array.prototype.slice),
    setBytes: uncurry(global.Uint8Array.prototype.set),
    bytesBuffer: getter(getPrototypeOf(global.Uint8Array.prototype), 'buffer'),
    bytesOffset: getter(getPrototypeOf(global.Uint8Array.prototype), 'byteOffset'),
    bytesLength: getter(getPrototypeOf(global.Uint8Array.prototype), 'byteLength'),
    jsonParse: JSON.parse,
    Proxy: global.Proxy,
    queueMicrotask: global.queueMicrotask.bind(global),
    Promise,
    resolved: uncurry(Promise.resolve).bind(undefined, Promise),
    then: uncurry(Promise.prototype.then),
    EventTarget,
    Event,
    MessageEvent,
    messageEvent,
    MessagePort,
    MessageChannel,
    DOMException,
    addEventListener: uncurry(EventTarget.prototype.addEventListener),
    removeEventListener: uncurry(EventTarget.prototype.removeEventListener),
    dispatchEvent: uncurry(EventTarget.prototype.dispatchEvent),
    isAborted: getter(global.AbortSignal.prototype, 'aborted'),
    preventDefault: uncurry(Event.prototype.preventDefault),
    stopImmediatePropagation: uncurry(Event.prototype.stopImmediatePropagation),
    isTrusted,
    eventData: getter(MessageEvent.prototype, 'data'),
    eventPorts,
    eventOrigin: getter(MessageEvent.prototype, 'origin'),
    eventSource: getter(MessageEvent.prototype, 'source'),
    channelPort2: getter(MessageChannel.prototype, 'port2'),
    channelPort1: getter(MessageChannel.prototype, 'port1'),
  }
})
