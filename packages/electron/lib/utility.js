'use strict'
// utilityProcess (https://www.electronjs.org/docs/latest/api/utility-process): child processes that
// run a script, each with a parent port.

const { native } = require('./native')
const EventEmitter = require('events')
const ports = require('./ports')
const { whenListened } = require('./listening')
const { Socket } = require('net')
const { app } = require('./app')
const { checkAllOptions, refuse } = require('./unsupported')

/**
 * The longest wait for messages and output that are still under way when the process has ended, in
 * milliseconds.
 */
const LAST_WORDS = 1000
const KINDS = ['inherit', 'pipe', 'ignore']
const NAME = 'Node Utility Process'

/** @type {Map<number, UtilityProcess>} until they have ended */
const all = new Map()

/** Set by the static block: access to private state for this file only. */
let spawned, ended, start

class UtilityProcess extends EventEmitter {
  #id = 0
  #name
  #pid
  #port
  #stdout = null
  #stderr = null
  #gone = false

  constructor (key, plan) {
    if (key !== kMake) throw new TypeError('Illegal constructor')
    super()
    ports.uncloneable(this)
    this.#name = plan.name
    const { port1, port2 } = new ports.MessageChannelMain()
    this.#port = port1
    const [id, out, err] = ports.handOver(port2, (port) => native.utilityFork(plan, [port]))
    this.#id = id
    this.#stdout = streamOf(out)
    this.#stderr = streamOf(err)
    all.set(this.#id, this)
    port1.on('message', (event) => { this.emit('message', event.data, { ports: event.ports }) })
    port1.on('messageerror', (event) => { this.emit('messageerror', event.error, { ports: event.ports }) })
  }

  static {
    start = (child) => { child.#port.start() }
    spawned = (child, pid) => {
      child.#pid = pid
      child.emit('spawn')
    }
    ended = async (child, code, reason) => {
      child.#gone = true
      await child.#lastWords()
      // Outside of the promise, so that an error in a listener is an uncaught exception of the
      // program.
      setImmediate(() => {
        all.delete(child.#id)
        // The port has closed, so all messages of the child have been received.
        const fatal = native.utilityFatal(child.#id)
        native.utilityForget(child.#id)
        const details = { type: 'Utility', reason, exitCode: code, serviceName: 'node.mojom.NodeService', name: child.#name }
        const goodbye = [
          () => { if (reason !== 'clean-exit') app.emit('child-process-gone', {}, details) },
          // Emitted only if the program listens for it, because a fatal error of the child must not
          // end main.
          () => { if (fatal && child.listenerCount('error') > 0) child.emit('error', 'FatalError', ...fatal) },
          () => { child.emit('exit', code) },
          () => {
            child.#port.close()
            child.#pid = undefined
            child.#stdout = child.#stderr = null
          }
        ]
        allOf(goodbye)
      })
    }
  }

  get pid () { return this.#pid }
  get stdout () { return this.#stdout }
  get stderr () { return this.#stderr }
  postMessage (message, transfer) { this.#port.postMessage(message, transfer) }
  kill () { return this.#pid !== undefined && !this.#gone && native.utilityKill(this.#id) }

  /**
   * Waits for messages and output that the process sent before its end, so that they are emitted
   * before `exit`. Unread streams are not waited for.
   */
  async #lastWords () {
    this.#port.start()
    const said = [ports.isOpen(this.#port) ? new Promise((resolve) => this.#port.once('close', resolve)) : null]
    for (const stream of [this.#stdout, this.#stderr]) {
      if (stream === null || !stream.readable) continue
      said.push(new Promise((resolve) => stream.once(stream.readableFlowing ? 'close' : 'readable', resolve)))
    }
    let timer
    const late = new Promise((resolve) => { timer = setTimeout(resolve, LAST_WORDS) })
    await Promise.race([Promise.all(said), late])
    clearTimeout(timer)
  }
}

/** A stream over the reading end of a pipe; null without a pipe. */
function streamOf (descriptor) {
  return descriptor === null ? null : new Socket({ fd: descriptor, readable: true, writable: false })
}

/** Calls all functions even if some throw, and throws the last error. */
function allOf ([first, ...rest]) {
  try {
    first()
  } finally {
    if (rest.length > 0) allOf(rest)
  }
}

const kMake = Symbol('make')

// Messages wait until the program listens for them.
whenListened(UtilityProcess, 'message', start)

/** The settings for standard output and standard error in `stdio`. */
function streamsOf (stdio) {
  const anyOf = `must be of the following values: ${KINDS.join(', ')}`
  if (typeof stdio === 'string') {
    if (!KINDS.includes(stdio)) throw new Error(`stdio ${anyOf}`)
    return [stdio, stdio]
  }
  if (!Array.isArray(stdio)) return ['inherit', 'inherit']
  const [stdin, ...streams] = stdio
  if (streams.length < 2) throw new Error('configuration missing for stdin, stdout or stderr.')
  if (stdin !== 'ignore') throw new Error('stdin value other than ignore is not supported.')
  for (const [index, name] of ['stdout', 'stderr'].entries()) {
    if (!KINDS.includes(streams[index])) throw new Error(`${name} configuration ${anyOf}`)
  }
  return streams
}

function fork (modulePath, args, options) {
  if (!modulePath) throw new Error('Missing UtilityProcess entry script.')
  if (typeof modulePath !== 'string') throw new TypeError('The path of the entry script must be a string.')
  if (args === undefined || args === null) args = []
  else if (!Array.isArray(args)) [args, options] = [[], args]
  options = { ...options }
  const { execArgv, serviceName, cwd, stdio, env } = options
  if (execArgv !== undefined && execArgv !== null && !Array.isArray(execArgv)) throw new Error('execArgv must be an array of strings.')
  if (serviceName !== undefined && serviceName !== null && typeof serviceName !== 'string') throw new Error('serviceName must be a string.')
  if (cwd !== undefined && cwd !== null && typeof cwd !== 'string') throw new Error('cwd path must be a string.')
  const [stdout, stderr] = streamsOf(stdio)
  if (!app.isReady()) throw new Error('utilityProcess cannot be created before app is ready.')
  checkAllOptions('utilityProcess', options)
  const texts = (list) => Array.from(list ?? [], String)
  return new UtilityProcess(kMake, {
    module: modulePath,
    args: texts(args),
    execArgv: texts(execArgv),
    env: Object.entries(env ?? process.env).map(([name, value]) => [name, String(value)]),
    cwd,
    stdout,
    stderr,
    name: serviceName ?? NAME
  })
}

const utilityProcess = { fork }
refuse(UtilityProcess, 'utilityProcess', utilityProcess)

module.exports = {
  utilityProcess,
  reports: {
    'utility-spawned' (id, pid) {
      const child = all.get(id)
      if (child !== undefined) spawned(child, pid)
    },
    'utility-ended' (id, code, reason) {
      const child = all.get(id)
      if (child !== undefined) ended(child, code, reason)
    }
  }
}
