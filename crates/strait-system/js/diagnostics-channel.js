'use strict'
// Node's `diagnostics_channel` (https://nodejs.org/api/diagnostics_channel.html): named channels on
// which libraries publish their activity.

const { wrongType } = require('strait:errors')

/** @param {any} value */
const checkSubscription = (value) => {
  if (typeof value !== 'function') throw wrongType('subscription', 'of type function', value)
}

/**
 * Throws a subscriber's error later, because the publisher is not responsible for it.
 * @param {any} error
 */
const report = (error) => { process.nextTick(() => { throw error }) }

class Channel {
  /** @param {string | symbol} name */
  constructor (name) {
    /** @type {((message: any, name: string | symbol) => void)[]} */
    this._subscribers = []
    /**
     * Bound stores, each with the function that converts a message to the store's value.
     * @type {Map<any, ((message: any) => any) | undefined>}
     */
    this._stores = new Map()
    this.name = name
  }

  get hasSubscribers () {
    return this._subscribers.length > 0 || this._stores.size > 0
  }

  /** @param {any} subscription */
  subscribe (subscription) {
    checkSubscription(subscription)
    this._subscribers = [...this._subscribers, subscription]
  }

  /** @param {any} subscription */
  unsubscribe (subscription) {
    const at = this._subscribers.indexOf(subscription)
    if (at < 0) return false
    this._subscribers = this._subscribers.toSpliced(at, 1)
    return true
  }

  /** @param {any} message */
  publish (message) {
    for (const subscription of this._subscribers) {
      try {
        subscription(message, this.name)
      } catch (error) {
        report(error)
      }
    }
  }

  /** @param {any} store @param {(message: any) => any} [transform] */
  bindStore (store, transform) {
    this._stores.set(store, transform)
  }

  /** @param {any} store */
  unbindStore (store) {
    return this._stores.delete(store)
  }

  /**
   * Publishes the message, and runs a function in all bound stores.
   * @param {any} message @param {Function} action @param {any} [receiver] @param {any[]} args
   */
  runStores (message, action, receiver, ...args) {
    let run = () => {
      this.publish(message)
      return Reflect.apply(action, receiver, args)
    }
    for (const [store, transform] of this._stores) {
      const inner = run
      run = () => {
        let value = message
        try {
          if (transform !== undefined) value = transform(message)
        } catch (error) {
          report(error)
          return inner()
        }
        return store.run(value, inner)
      }
    }
    return run()
  }
}

/** @type {Map<string | symbol, Channel>} */
const channels = new Map()

const channel = (/** @type {any} */ name) => {
  const known = channels.get(name)
  if (known !== undefined) return known
  if (typeof name !== 'string' && typeof name !== 'symbol') throw wrongType('channel', 'one of type string or symbol', name)
  const made = new Channel(name)
  channels.set(name, made)
  return made
}

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']

class TracingChannel {
  /** @param {any} given a name, or an object with the five channels */
  constructor (given) {
    const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
    if (typeof given !== 'string' && !isObject) throw wrongType('nameOrChannels', 'of type string or an instance of TracingChannel or Object', given)
    for (const event of EVENTS) {
      const value = isObject ? given[event] : channel(`tracing:${given}:${event}`)
      if (!(value instanceof Channel)) throw wrongType(`nameOrChannels.${event}`, 'an instance of Channel', value)
      Object.defineProperty(this, event, { value })
    }
  }

  get hasSubscribers () {
    return EVENTS.some((event) => this.channel(event).hasSubscribers)
  }

  /** @param {any} handlers */
  subscribe (handlers) {
    for (const event of EVENTS) if (handlers[event]) this.channel(event).subscribe(handlers[event])
  }

  /** @param {any} handlers */
  unsubscribe (handlers) {
    const done = EVENTS.map((event) => !handlers[event] || this.channel(event).unsubscribe(handlers[event]))
    return done.every(Boolean)
  }

  /** @param {Function} action @param {any} [context] @param {any} [receiver] @param {any[]} args */
  traceSync (action, context = {}, receiver = undefined, ...args) {
    if (!this.hasSubscribers) return Reflect.apply(action, receiver, args)
    return this.traced(context, () => {
      context.result = Reflect.apply(action, receiver, args)
      return context.result
    })
  }

  /** @param {Function} action @param {any} [context] @param {any} [receiver] @param {any[]} args */
  tracePromise (action, context = {}, receiver = undefined, ...args) {
    if (!this.hasSubscribers) return Reflect.apply(action, receiver, args)
    const settled = () => {
      this.channel('asyncStart').publish(context)
      this.channel('asyncEnd').publish(context)
    }
    return this.traced(context, () => Promise.resolve(Reflect.apply(action, receiver, args)).then((value) => {
      context.result = value
      settled()
      return value
    }, (error) => {
      context.error = error
      this.channel('error').publish(context)
      settled()
      throw error
    }))
  }

  /**
   * @param {Function} action @param {number} [position] the index of its callback argument
   * @param {any} [context] @param {any} [receiver] @param {any[]} args
   */
  traceCallback (action, position = -1, context = {}, receiver = undefined, ...args) {
    if (!this.hasSubscribers) return Reflect.apply(action, receiver, args)
    const callback = args.at(position)
    if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback)
    const trace = this
    args.splice(position, 1, /** @this {any} */ function (/** @type {any[]} */ ...results) {
      const [error, value] = results
      if (error) {
        context.error = error
        trace.channel('error').publish(context)
      } else context.result = value
      trace.channel('asyncStart').runStores(context, () => {
        try {
          Reflect.apply(callback, this, results)
        } finally {
          trace.channel('asyncEnd').publish(context)
        }
      })
    })
    return this.traced(context, () => Reflect.apply(action, receiver, args))
  }

  /** @param {any} context @param {() => any} action */
  traced (context, action) {
    return this.channel('start').runStores(context, () => {
      try {
        return action()
      } catch (error) {
        context.error = error
        this.channel('error').publish(context)
        throw error
      } finally {
        this.channel('end').publish(context)
      }
    })
  }

  /** @param {string} event @returns {Channel} */
  channel (event) {
    return /** @type {any} */ (this)[event]
  }
}

module.exports = {
  channel,
  hasSubscribers: (/** @type {string | symbol} */ name) => channels.get(name)?.hasSubscribers ?? false,
  subscribe: (/** @type {string | symbol} */ name, /** @type {any} */ subscription) => channel(name).subscribe(subscription),
  unsubscribe: (/** @type {string | symbol} */ name, /** @type {any} */ subscription) => channel(name).unsubscribe(subscription),
  tracingChannel: (/** @type {any} */ given) => new TracingChannel(given),
  Channel
}
