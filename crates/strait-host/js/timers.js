'use strict'
// Timers of the program, as Node's: a heap ordered by deadline, then by age. The loop in Rust asks `run` for one callback at a
// time, so that each is a macrotask of its own.

const MAX_DELAY = 0x7fffffff

/** @type {Timeout[]} binary heap, soonest first */
const heap = []
/** @type {Map<number, Timeout>} for clearTimeout(Number(timer)) */
const byId = new Map()
let nextId = 1
/** How many in the heap keep a process alive that ends by itself. */
let referenced = 0

function earlier (a, b) {
  return a._deadline < b._deadline || (a._deadline === b._deadline && a._order < b._order)
}

function place (timer, index) {
  heap[index] = timer
  timer._index = index
}

function siftUp (index) {
  const timer = heap[index]
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (!earlier(timer, heap[parent])) break
    place(heap[parent], index)
    index = parent
  }
  place(timer, index)
}

function siftDown (index) {
  const timer = heap[index]
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && earlier(heap[child + 1], heap[child])) child++
    if (!earlier(heap[child], timer)) break
    place(heap[child], index)
    index = child
  }
  place(timer, index)
}

function insert (timer) {
  timer._order = nextOrder++
  heap.push(timer)
  if (timer._referenced) referenced++
  siftUp(heap.length - 1)
}

function remove (timer) {
  const index = timer._index
  if (index < 0) return
  timer._index = -1
  if (timer._referenced) referenced--
  const last = heap.pop()
  if (last !== timer) {
    place(last, index)
    siftUp(index)
    siftDown(last._index)
  }
}

let nextOrder = 0

class Timeout {
  constructor (callback, delay, args, repeat) {
    delay = Number(delay)
    this._delay = delay >= 1 && delay <= MAX_DELAY ? Math.trunc(delay) : 1
    this._callback = callback
    this._args = args
    this._repeat = repeat
    this._id = nextId++
    this._index = -1
    this._referenced = true
    this._deadline = native.now() + this._delay
    byId.set(this._id, this)
    insert(this)
  }

  // The main process runs until it quits: there this makes no difference. A child ends when no timer keeps it.
  ref () { return this.#reference(true) }
  unref () { return this.#reference(false) }
  hasRef () { return this._referenced }

  #reference (on) {
    if (this._referenced !== on) {
      this._referenced = on
      if (this._index >= 0) referenced += on ? 1 : -1
    }
    return this
  }

  refresh () {
    if (!byId.has(this._id)) return this
    remove(this)
    this._deadline = native.now() + this._delay
    insert(this)
    return this
  }

  close () { cancel(this); return this }
  [Symbol.toPrimitive] () { return this._id }
}

class Immediate {
  constructor (callback, args) {
    this._callback = callback
    this._args = args
    this._referenced = true
  }

  ref () {
    this._referenced = true
    return this
  }

  unref () {
    this._referenced = false
    return this
  }

  hasRef () { return this._referenced }
}

/** @type {Immediate[]} */
let immediates = []

function checkCallback (callback) {
  if (typeof callback !== 'function') {
    throw Object.assign(new TypeError(`The "callback" argument must be of type function. Received ${callback === null ? 'null' : typeof callback}`),
      { code: 'ERR_INVALID_ARG_TYPE' })
  }
}

function setTimeout (callback, delay, ...args) {
  checkCallback(callback)
  return new Timeout(callback, delay, args, false)
}

function setInterval (callback, delay, ...args) {
  checkCallback(callback)
  return new Timeout(callback, delay, args, true)
}

function setImmediate (callback, ...args) {
  checkCallback(callback)
  const immediate = new Immediate(callback, args)
  immediates.push(immediate)
  return immediate
}

function cancel (timer) {
  const found = timer instanceof Timeout ? timer : byId.get(Number(timer))
  if (found === undefined) return
  byId.delete(found._id)
  remove(found)
}

function clearImmediate (immediate) {
  if (immediate instanceof Immediate) immediate._callback = null
}

/**
 * Runs the soonest timer if it was due at `limit` (milliseconds of `native.now`).
 * @returns {number} -1 if one ran, otherwise the deadline of the soonest, Infinity without any
 */
function run (limit) {
  const timer = heap[0]
  if (timer === undefined) return Infinity
  if (timer._deadline > limit) return timer._deadline
  remove(timer)
  if (timer._repeat) {
    timer._deadline = Math.max(limit, native.now()) + timer._delay
    insert(timer)
  } else byId.delete(timer._id)
  Reflect.apply(timer._callback, timer, timer._args)
  return -1
}

/** Takes what is scheduled now: what these schedule runs in the next turn. */
function takeImmediates () {
  const taken = immediates
  immediates = []
  return taken.map((immediate) => () => {
    if (immediate._callback !== null) Reflect.apply(immediate._callback, immediate, immediate._args)
  })
}

const promises = {
  setTimeout: (delay, value) => new Promise((resolve) => setTimeout(resolve, delay, value)),
  setImmediate: (value) => new Promise((resolve) => setImmediate(resolve, value))
}

module.exports = {
  exported: { setTimeout, setInterval, setImmediate, clearTimeout: cancel, clearInterval: cancel, clearImmediate, promises },
  promises,
  run,
  takeImmediates,
  hasImmediates: () => immediates.length > 0,
  isAlive: () => referenced > 0 || immediates.some((immediate) => immediate._referenced && immediate._callback !== null)
}
