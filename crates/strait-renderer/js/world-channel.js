// The world channel, for values that only the platform can carry between the worlds of a document:
// nodes, Blobs, symbols.
//
// Both worlds have a wrapper of one event target that no page has. An event that one world
// dispatches there reaches the other world, and WebKit converts its contents. `relatedTarget` is
// the same node's wrapper in each world. (WebKit retargets it only on the way through a tree, and
// this target is in none.) `detail` is a clone if it is an object, otherwise the value itself. An
// arrived value waits under a number for the message that names it.
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

  /** The target, once both worlds have it. */
  let target = null
  /** The arrived values, by the numbers that the other world counts. */
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

  /** Stores an arrived value. Cancelling the event confirms the arrival to the other world. */
  const arrive = (/** @type {Event} */ event, /** @type {any} */ value) => {
    arrived[++came] = value
    p.preventDefault(event)
  }

  const onNode = (/** @type {any} */ event) => {
    const node = relatedTarget(event)
    if (node !== null) arrive(event, node)
  }

  /** A value that cannot be cloned arrives as null, or as an empty plain object. */
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
  /**
   * The event's name. A page can listen for any event on its window, so the name must be secret.
   */
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

    /** Waits for the first event of this name, whose `relatedTarget` is the target. */
    await(/** @type {string} */ name) {
      p.addEventListener(global, name, onMeeting, { __proto__: null, once: true })
    },

    /** Brings a value over. Returns its number there, or 0 if it cannot be carried. */
    bring(/** @type {any} */ value) {
      if (target === null) meet()
      if (p.dispatchEvent(target, carrier(value))) return 0
      return ++departed
    },

    /** The value under that number, until the message that named it has been read or dropped. */
    take: (/** @type {number} */ id) => arrived[id],
    taken(/** @type {number} */ id) {
      delete arrived[id]
    },
    forget(/** @type {number} */ id) {
      p.dispatchEvent(target, new CustomEvent(`forgotten ${theirs}`, { __proto__: null, detail: id }))
    },
  }
})
