// A small test harness for pages, preloads, frames and workers: cases register themselves with `test` and run one after another.
//
// The driver joins this file, the case files and `run({…})` into one script, and reads what `run` hands to its `report`: a line
// of four fields for each case, separated by tabs.

const PATIENCE = 30_000
// For what is expected to fail.
const HURRY = 300
const registered = []

/**
 * Registers a case. `section` is the part of the HTML standard (or of WebIDL or DOM) that says what is expected.
 * `needs` is what the realm must have: 'window', 'same-origin' (frames that the realm may look into), 'worker' (it can start some),
 * 'own-frames' (it can reach into frames it makes), 'errors' (WebKit shows the realm its own exceptions), 'host' (it can hand ports to the main process).
 */
function test(section, name, body, { needs = [] } = {}) {
  if (registered.some((other) => other.section === section && other.name === name)) throw new Error(`two cases: ${section}: ${name}`)
  registered.push({ section, name, body, needs })
}

class Failure extends Error {}

const show = (value) => {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) return JSON.stringify(value)
  try {
    return String(value)
  } catch {
    return typeof value
  }
}

const fail = (text) => {
  throw new Failure(text)
}

const ok = (condition, what) => {
  if (!condition) fail(what)
}

/** The very same value. */
const equal = (is, expected, what = 'value') => {
  if (!Object.is(is, expected)) fail(`${what} is ${show(is)}, expected ${show(expected)}`)
}

/** Lists of the very same values. */
const list = (is, expected, what = 'list') => {
  const alike = Array.isArray(is) && is.length === expected.length && is.every((item, i) => Object.is(item, expected[i]))
  if (!alike) fail(`${what} is ${show(is)}, expected ${show(expected)}`)
}

const caught = (what, run) => {
  try {
    run()
  } catch (error) {
    return { error }
  }
  return fail(`${what}: nothing was thrown`)
}

/** `run` throws an error of this constructor (this very realm's), or the very value given. */
const throws = (expected, run, what = 'call') => {
  const { error } = caught(what, run)
  if (typeof expected !== 'function') return equal(error, expected, what)
  if (!(error instanceof expected) || error.name !== expected.name) fail(`${what} threw ${show(error)}, expected a ${expected.name}`)
  return undefined
}

const throwsClone = (run, what = 'call') => {
  const { error } = caught(what, run)
  if (!(error instanceof DOMException)) fail(`${what} threw ${show(error)}, which is no DOMException of this realm`)
  equal(error.name, 'DataCloneError', `${what}: name`)
  equal(error.code, 25, `${what}: code`)
  equal(error.constructor, DOMException, `${what}: constructor`)
}

/** What a case is given. */
class Tools {
  #undo = []
  #events = []

  /** Called when the case has ended, however. */
  cleanup(undo) {
    this.#undo.push(undo)
  }

  end() {
    for (const undo of this.#undo.reverse()) {
      try {
        undo()
      } catch {
        // The case itself has been judged.
      }
    }
  }

  /** A channel that is closed at the end of the case. */
  channel() {
    const channel = new MessageChannel()
    const { port1, port2 } = channel
    this.cleanup(() => {
      port1.close()
      port2.close()
    })
    return channel
  }

  /** The next event of a target. Does not start a port. The ports in it live as long as the case: one that is collected would close. */
  next(target, type = 'message') {
    return new Promise((resolve) => {
      const told = (event) => {
        this.#events.push(event)
        resolve(event)
      }
      target.addEventListener(type, told, { once: true })
    })
  }

  /** Starts the port; its next message. */
  receive(port) {
    const message = this.next(port)
    port.start()
    return message
  }

  /**
   * Everything that `target` is told from now on, as `kind data`, in `log`; `until(n)` waits for so much. Starts a port.
   */
  watch(target, types = ['message', 'messageerror', 'close']) {
    const log = []
    let wake = () => {}
    for (const type of types) {
      target.addEventListener(type, (event) => {
        log.push(type === 'message' ? event.data : type === 'close' ? `close ${event.reason}` : type)
        wake()
      })
    }
    if (typeof target.start === 'function') target.start()
    const until = async (count) => {
      while (log.length < count) await new Promise((resolve) => (wake = resolve))
      return log
    }
    return { log, until }
  }

  /** A task of its own. */
  task() {
    return new Promise((resolve) => setTimeout(resolve, 0))
  }

  /** Whatever was under way has arrived: messages that were posted later, through other channels, have been answered. */
  async settled() {
    for (let round = 0; round < 3; round++) {
      const { port1, port2 } = new MessageChannel()
      port2.onmessage = () => port2.postMessage(0)
      port1.postMessage(0)
      await this.receive(port1)
      port1.close()
      await this.task()
    }
  }

  /** Hands a port to the main process, which does with it what `what` says. */
  toHost(what, port) {
    if (typeof document === 'undefined') self.postMessage(`host:${what}`, [port])
    else top.postMessage(`host:${what}`, '*', [port])
  }

  /** An iframe with this content, when it has loaded. */
  async frame(srcdoc, attributes = {}) {
    const frame = document.createElement('iframe')
    for (const [name, value] of Object.entries(attributes)) frame.setAttribute(name, value)
    if (srcdoc !== undefined) frame.srcdoc = srcdoc
    this.cleanup(() => frame.remove())
    const loaded = this.next(frame, 'load')
    document.body.append(frame)
    await loaded
    return frame
  }

  /** What `self.onerror` is told while the case runs; the errors are handled. */
  errors() {
    const log = []
    const before = self.onerror
    self.onerror = (message, source, line, column, error) => {
      log.push(error === undefined || error === null ? String(message) : error)
      return true
    }
    this.cleanup(() => (self.onerror = before))
    return log
  }
}

const within = (milliseconds, promise) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Failure(`not done after ${milliseconds} ms`)), milliseconds)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })

const oneLine = (text) => String(text).replaceAll('\t', ' ').replaceAll('\n', ' | ')

/**
 * Runs every case whose needs are met.
 * @param {{ has: string[], hurry: string[], filter: string, report: (lines: string) => void }} options `hurry`: cases that are expected to fail, so that
 *   nobody need wait for them long.
 */
async function run({ has, hurry, filter, report }) {
  const lines = []
  for (const { section, name, body, needs } of registered) {
    if (!needs.every((need) => has.includes(need)) || !`${section}: ${name}`.includes(filter)) continue
    const tools = new Tools()
    let text = ''
    try {
      const patience = hurry.includes(`${section}: ${name}`) ? HURRY : PATIENCE
      await within(patience, Promise.resolve(body(tools)))
    } catch (error) {
      text = error instanceof Failure ? error.message : `${error} ${error?.stack ?? ''}`
      if (text === '') text = 'failed'
    }
    tools.end()
    lines.push([text === '' ? 'pass' : 'fail', section, name, oneLine(text)].join('\t'))
  }
  lines.push('end')
  report(lines.join('\n'))
}
