'use strict'
// A readable stream in Node's manner (https://nodejs.org/api/stream.html#readable-streams), over something that is asked for one chunk after another: 'data', 'end', 'close' and
// 'error', pause and resume, pipe, and iteration. Nothing is asked for unless somebody reads: a pipe that nobody reads is full, and who writes into it waits.

const EventEmitter = require('strait:events')
const { whenListened } = require('strait:listening')

/** Set by the static block: access to private state for this file only. */
let absorb

class Readable extends EventEmitter {
  #pull
  #decoder = null
  #flowing = null
  #asking = false
  /** A chunk that came when nobody read any more. */
  #held = []
  #state = 'open'
  #piped = new Map()

  static {
    absorb = async (stream) => {
      while (stream.#state === 'open' && !stream.#asking && stream.#held.at(-1) !== null) stream.#held.push(await stream.#pull())
    }
  }

  /** @param {() => Promise<Uint8Array | null>} pull asked again only when it has answered; null is the end */
  constructor (pull) {
    super()
    this.#pull = pull
  }

  get readable () { return this.#state === 'open' }
  get readableEnded () { return this.#state === 'ended' }
  get readableFlowing () { return this.#flowing }
  get destroyed () { return this.#state === 'destroyed' }

  setEncoding (encoding = 'utf8') {
    const { StringDecoder } = require('strait:node').load('string_decoder')
    this.#decoder = new StringDecoder(encoding)
    return this
  }

  pause () {
    if (this.#flowing !== false) {
      this.#flowing = false
      this.emit('pause')
    }
    return this
  }

  resume () {
    if (this.#flowing !== true) {
      this.#flowing = true
      // Listeners that are added now hear everything.
      globalThis.process.nextTick(() => {
        this.emit('resume')
        this.#pump()
      })
    }
    return this
  }

  isPaused () { return this.#flowing === false }

  pipe (target, { end = true } = {}) {
    const data = (chunk) => {
      if (target.write(chunk) === false) {
        this.pause()
        target.once('drain', () => this.resume())
      }
    }
    const ended = () => { target.end() }
    this.#piped.set(target, { data, ended })
    this.on('data', data)
    if (end && target !== globalThis.process.stdout && target !== globalThis.process.stderr) this.once('end', ended)
    return target
  }

  unpipe (target) {
    for (const [to, { data, ended }] of [...this.#piped]) {
      if (target !== undefined && to !== target) continue
      this.off('data', data)
      this.off('end', ended)
      this.#piped.delete(to)
    }
    if (this.listenerCount('data') === 0) this.pause()
    return this
  }

  destroy (error) {
    if (this.#state === 'destroyed') return this
    const open = this.#state === 'open'
    this.#state = 'destroyed'
    this.#held = []
    globalThis.process.nextTick(() => {
      if (error !== undefined && error !== null) this.emit('error', error)
      if (open) this._closed(error !== undefined && error !== null)
    })
    return this
  }

  /** By hand: `return` ends the stream also while `next` waits for a chunk, as a generator's would not. */
  [Symbol.asyncIterator] () {
    const chunks = []
    const waiting = []
    let ended = this.#state !== 'open'
    let failure = null
    const settle = () => {
      while (waiting.length > 0 && (chunks.length > 0 || ended || failure !== null)) {
        const { resolve, reject } = waiting.shift()
        if (chunks.length > 0) resolve({ done: false, value: chunks.shift() })
        else if (failure !== null) {
          reject(failure)
          failure = null
          ended = true
        } else resolve({ done: true, value: undefined })
      }
      if (waiting.length > 0) this.resume()
    }
    const over = () => {
      ended = true
      settle()
    }
    this.on('data', (chunk) => {
      chunks.push(chunk)
      // One at a time: who iterates slowly is not flooded.
      this.pause()
      settle()
    })
    this.once('error', (error) => {
      failure = error
      settle()
    })
    this.once('end', over)
    this.once('close', over)
    return {
      next: () => new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        settle()
      }),
      return: async (value) => {
        // The engine calls this at the end too.
        if (!ended) this.destroy()
        return { done: true, value }
      },
      [Symbol.asyncIterator] () { return this }
    }
  }

  async #pump () {
    while (this.#flowing && this.#state === 'open') {
      let chunk
      if (this.#held.length > 0) chunk = this.#held.shift()
      else {
        if (this.#asking) return
        this.#asking = true
        try {
          chunk = await this.#pull()
        } catch (error) {
          this.destroy(error)
          return
        } finally {
          this.#asking = false
        }
        if (this.#state !== 'open') return
        if (!this.#flowing) {
          this.#held.push(chunk)
          return
        }
      }
      if (chunk === null) this.#end()
      else this.#emitData(globalThis.Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    }
  }

  #emitData (chunk) {
    const data = this.#decoder === null ? chunk : this.#decoder.write(chunk)
    if (data.length > 0) this.emit('data', data)
  }

  #end () {
    const rest = this.#decoder?.end() ?? ''
    if (rest !== '') this.emit('data', rest)
    this.#state = 'ended'
    this.emit('end')
    this._over()
  }

  /** There is nothing more to read. What can be written to as well closes later. */
  _over () { this._closed(false) }

  /** @param {boolean} _failed */
  _closed (_failed) { this.emit('close') }
}

// Unless it was paused on purpose.
whenListened(Readable, 'data', (stream) => { if (stream.readableFlowing !== false) stream.resume() })

module.exports = {
  Readable,
  /** Takes all there is until the end, for who reads later: what it comes from goes away. */
  absorb
}
