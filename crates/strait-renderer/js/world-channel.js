// What only the platform can take from one world of a document to the other: nodes, Blobs, symbols.
//
// Both worlds have a wrapper of one event target that nobody else knows. An event that one world dispatches there is seen by the other, and WebKit
// sees to what it carries: `relatedTarget` has the same node's wrapper in each world (only on the way through a tree is it retargeted, and this
// target is in none), `detail` is a clone if it is an object, and else the value itself. What has come waits under a number, for the message that names it.
(function makeWorldChannel(p, ask, isMainWorld, global) {
  'use strict'

  const { FocusEvent, CustomEvent, Node } = global
  const nodeType = p.getter(Node.prototype, 'nodeType')
  const relatedTarget = p.getter(FocusEvent.prototype, 'relatedTarget')
  const eventDetail = p.getter(CustomEvent.prototype, 'detail')
  const getRandomValues = p.uncurry(global.Crypto.prototype.getRandomValues)
  const { crypto } = global

  const mine = isMainWorld ? 'main' : 'isolated'
  const theirs = isMainWorld ? 'isolated' : 'main'

  /** The target, once the worlds have met. */
  let target = null
  /** What has come, under the numbers that the other world counts. */
  const arrived = { __proto__: null }
  let came = 0
  let departed = 0

  const isNode = (/** @type {any} */ value) => {
    try {
      nodeType(value)
      return true
    } catch {
      return false
    }
  }

  /** The other world learns that it has come by the event's having been cancelled. */
  const arrive = (/** @type {Event} */ event, /** @type {any} */ value) => {
    arrived[++came] = value
    p.preventDefault(event)
  }

  const onNode = (/** @type {any} */ event) => {
    const node = relatedTarget(event)
    if (node !== null) arrive(event, node)
  }

  /** What cannot be cloned comes as null, or as an object without anything of what it was. */
  const onValue = (/** @type {any} */ event) => {
    const value = eventDetail(event)
    const isObject = typeof value === 'object'
    if (isObject && (value === null || p.getPrototypeOf(value) === p.objectPrototype)) return
    arrive(event, value)
  }

  const onForgotten = (/** @type {any} */ event) => {
    delete arrived[eventDetail(event)]
  }

  const settle = (/** @type {EventTarget} */ at) => {
    target = at
    p.addEventListener(target, `node ${mine}`, onNode)
    p.addEventListener(target, `value ${mine}`, onValue)
    p.addEventListener(target, `forgotten ${mine}`, onForgotten)
  }

  const onMeeting = (/** @type {any} */ event) => settle(relatedTarget(event))

  const word = new p.Uint32Array(4)
  /** The page can hear all that is dispatched on its window, if it knows what to listen for. */
  const secret = () => {
    getRandomValues(crypto, word)
    return `${word[0]} ${word[1]} ${word[2]} ${word[3]}`
  }

  const meet = () => {
    const name = secret()
    ask(name)
    const place = new p.EventTarget()
    p.dispatchEvent(global, new FocusEvent(name, { __proto__: null, relatedTarget: place }))
    settle(place)
  }

  const carrier = (/** @type {any} */ value) =>
    isNode(value)
      ? new FocusEvent(`node ${theirs}`, { __proto__: null, relatedTarget: value, cancelable: true })
      : new CustomEvent(`value ${theirs}`, { __proto__: null, detail: value, cancelable: true })

  return {
    __proto__: null,

    /** The other world will listen for the first event of this name, whose `relatedTarget` is the place. */
    await(/** @type {string} */ name) {
      p.addEventListener(global, name, onMeeting, { __proto__: null, once: true })
    },

    /** Brings a value over; the number it has there, 0 if it cannot go. */
    bring(/** @type {any} */ value) {
      if (target === null) meet()
      if (p.dispatchEvent(target, carrier(value))) return 0
      return ++departed
    },

    /** What was brought under that number, until the message that named it has been read or given up. */
    take: (/** @type {number} */ id) => arrived[id],
    taken(/** @type {number} */ id) {
      delete arrived[id]
    },
    forget(/** @type {number} */ id) {
      p.dispatchEvent(target, new CustomEvent(`forgotten ${theirs}`, { __proto__: null, detail: id }))
    },
  }
})
