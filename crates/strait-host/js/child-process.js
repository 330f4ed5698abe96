'use strict'
// child_process (https://nodejs.org/api/child_process.html): spawn, exec, execFile, and the forms that wait.

const EventEmitter = require('strait:events')
const { Readable } = require('strait:streams')
const { Writer, systemError } = require('strait:writable')
const work = require('strait:work')

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGIOT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22, SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29, SIGPWR: 30, SIGSYS: 31 }
const KINDS = ['pipe', 'ignore', 'inherit']
const MAX_BUFFER = 1024 * 1024

function signalNumber (signal) {
  if (typeof signal === 'number') return signal
  const number = SIGNALS[signal]
  if (number === undefined) throw Object.assign(new TypeError(`Unknown signal: ${signal}`), { code: 'ERR_UNKNOWN_SIGNAL' })
  return number
}

const signalName = (number) => number === 0 ? null : Object.keys(SIGNALS).find((name) => SIGNALS[name] === number) ?? `SIG${number}`

function stdioOf (stdio = 'pipe') {
  const kinds = Array.isArray(stdio) ? [0, 1, 2].map((index) => stdio[index] ?? 'pipe') : [stdio, stdio, stdio]
  return kinds.map((kind, index) => {
    if (kind === index || (typeof kind === 'object' && kind === globalThis.process[['stdin', 'stdout', 'stderr'][index]])) return 'inherit'
    if (!KINDS.includes(kind)) throw Object.assign(new TypeError(`Strait's child processes have stdio 'pipe', 'ignore' and 'inherit'. Received ${String(kind)}`), { code: 'ERR_INVALID_ARG_VALUE' })
    return kind
  })
}

/** What is run, checked. */
function plan (file, args, options, name = 'file') {
  if (typeof file !== 'string') throw Object.assign(new TypeError(`The "${name}" argument must be of type string. Received ${file === null ? 'null' : typeof file}`), { code: 'ERR_INVALID_ARG_TYPE' })
  if (file === '') throw Object.assign(new TypeError(`The argument '${name}' cannot be empty. Received ''`), { code: 'ERR_INVALID_ARG_VALUE' })
  const { shell, cwd, env = globalThis.process.env, argv0, detached, stdio } = options
  let list = Array.from(args, String)
  let program = file
  if (shell) {
    list = ['-c', [file, ...list].join(' ')]
    program = typeof shell === 'string' ? shell : '/bin/sh'
  }
  const folder = cwd instanceof URL || String(cwd).startsWith('file:') ? native.pathOfUrl(String(cwd)) : cwd
  return {
    file: program,
    args: list,
    argv0: argv0 ?? undefined,
    env: Object.entries(env).filter(([, value]) => value !== undefined).map(([key, value]) => [key, String(value)]),
    cwd: folder ?? undefined,
    detached: Boolean(detached),
    stdio: stdioOf(stdio)
  }
}

/** `(file, args?, options?)`, both of which may be left out. */
function sorted (args, options) {
  if (Array.isArray(args)) return [args, { ...options }]
  if (args !== undefined && args !== null && typeof args !== 'object') throw Object.assign(new TypeError('The "args" argument must be an instance of Array.'), { code: 'ERR_INVALID_ARG_TYPE' })
  return [[], { ...(args ?? options) }]
}

class Output extends Readable {
  #id

  constructor (id) {
    super(async () => {
      const chunk = await native.ioRead(id)
      if (chunk === null) native.ioDrop(id)
      if (typeof chunk === 'string') throw systemError(chunk, 'read')
      return chunk
    })
    this.#id = id
  }

  destroy (error) {
    native.ioDrop(this.#id)
    return super.destroy(error)
  }
}

class Input extends EventEmitter {
  #id
  #writer
  destroyed = false

  constructor (id) {
    super()
    this.#id = id
    this.#writer = new Writer(this, (bytes) => native.ioWrite(id, bytes), () => native.ioEnd(id))
  }

  get writable () { return !this.destroyed && !this.#writer.ended }
  get writableLength () { return this.#writer.length }
  get writableEnded () { return this.#writer.ended }
  get writableFinished () { return this.#writer.finished }
  write (chunk, encoding, callback) { return this.#writer.write(chunk, encoding, callback) }
  end (chunk, encoding, callback) { this.#writer.end(chunk, encoding, callback); return this }
  setDefaultEncoding () { return this }
  cork () {}
  uncork () {}

  destroy (error) {
    if (this.destroyed) return this
    this.destroyed = true
    this.#writer.destroy()
    native.ioDrop(this.#id)
    globalThis.process.nextTick(() => {
      if (error) this.emit('error', error)
      this.emit('close')
    })
    return this
  }
}

class ChildProcess extends EventEmitter {
  #id = 0
  pid = undefined
  stdin = null
  stdout = null
  stderr = null
  stdio = [null, null, null]
  exitCode = null
  signalCode = null
  killed = false
  connected = false
  spawnfile
  spawnargs

  constructor (plan, shown) {
    super()
    this.spawnfile = plan.file
    this.spawnargs = [plan.argv0 ?? plan.file, ...plan.args]
    const started = native.processSpawn(plan)
    if (typeof started === 'string') {
      const error = systemError(started, `spawn ${shown}`, { errno: undefined, path: shown, spawnargs: plan.args })
      error.syscall = `spawn ${shown}`
      globalThis.process.nextTick(() => {
        this.emit('error', error)
        this.emit('close', -2, null)
      })
      return
    }
    const [id, pid, input, out, err] = started
    this.#id = id
    this.pid = pid
    if (input !== 0) this.stdin = new Input(input)
    if (out !== 0) this.stdout = new Output(out)
    if (err !== 0) this.stderr = new Output(err)
    this.stdio = [this.stdin, this.stdout, this.stderr]
    globalThis.process.nextTick(() => this.emit('spawn'))
    this.#end()
  }

  async #end () {
    const done = work.begin('lasting')
    const streams = [this.stdout, this.stderr].filter((stream) => stream !== null)
    const closed = Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('close', resolve))))
    const [code, signal] = await native.processWait(this.#id)
    globalThis.setImmediate(async () => {
      this.exitCode = signal === 0 ? code : null
      this.signalCode = signalName(signal)
      this.stdin?.destroy()
      try {
        this.emit('exit', this.exitCode, this.signalCode)
      } finally {
        // Whoever does not read does not keep the end back.
        for (const stream of streams) if (stream.readableFlowing === null) stream.resume()
        closed.then(() => globalThis.setImmediate(() => {
          done()
          this.emit('close', this.exitCode, this.signalCode)
        }))
      }
    })
  }

  kill (signal = 'SIGTERM') {
    const number = signalNumber(signal)
    const heard = this.#id !== 0 && native.processKill(this.#id, number)
    if (heard && number !== 0) this.killed = true
    return heard
  }

  ref () {}
  unref () {}
  disconnect () {}
  [Symbol.dispose ?? Symbol('dispose')] () { this.kill() }
}

function spawn (file, args, options) {
  const [list, given] = sorted(args, options)
  const child = new ChildProcess(plan(file, list, given), file)
  supervise(child, given)
  return child
}

/** `timeout` and `signal`. */
function supervise (child, { timeout, signal, killSignal = 'SIGTERM' }) {
  if (timeout > 0) {
    const timer = globalThis.setTimeout(() => { if (child.exitCode === null && child.signalCode === null) child.kill(killSignal) }, timeout)
    child.once('close', () => globalThis.clearTimeout(timer))
  }
  if (signal !== undefined && signal !== null) {
    const abort = () => {
      child.kill(killSignal)
      globalThis.process.nextTick(() => child.emit('error', Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' })))
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  }
}

function execFile (file, ...rest) {
  const callback = typeof rest.at(-1) === 'function' ? rest.pop() : undefined
  const [args, options] = sorted(rest[0], rest[1])
  return collect(file, args, options, callback, [file, ...args].join(' '))
}

function exec (text, options, callback) {
  if (typeof options === 'function') [options, callback] = [undefined, options]
  const given = { ...options, shell: typeof options?.shell === 'string' ? options.shell : true }
  return collect(text, [], given, callback, text, 'command')
}

function collect (file, args, options, callback, shown, name) {
  const { encoding = 'utf8', maxBuffer = MAX_BUFFER } = options
  const child = new ChildProcess(plan(file, args, { ...options, stdio: 'pipe' }, name), file)
  supervise(child, options)
  const said = { stdout: [], stderr: [] }
  let failure = null
  for (const name of ['stdout', 'stderr']) {
    let length = 0
    child[name]?.on('data', (chunk) => {
      length += chunk.length
      if (failure === null && length > maxBuffer) {
        failure = Object.assign(new RangeError(`${name} maxBuffer length exceeded`), { code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' })
        // Somebody else may hold the pipes open.
        child.kill(options.killSignal)
        child.stdout?.destroy()
        child.stderr?.destroy()
      }
      if (failure === null) said[name].push(chunk)
    })
  }
  const textOf = (name) => {
    const bytes = globalThis.Buffer.concat(said[name])
    return encoding === null || encoding === 'buffer' ? bytes : bytes.toString(encoding)
  }
  let called = false
  const finish = (code, signal) => {
    if (called) return
    called = true
    const [stdout, stderr] = [textOf('stdout'), textOf('stderr')]
    if (failure === null && (code !== 0 || signal !== null)) {
      failure = Object.assign(new Error(`Command failed: ${shown}\n${stderr}`), { code, killed: child.killed, signal, cmd: shown })
    }
    if (failure !== null) Object.assign(failure, { cmd: shown })
    callback?.(failure, stdout, stderr)
  }
  child.once('error', (error) => {
    failure ??= error
    finish(null, null)
  })
  child.once('close', finish)
  return child
}

/** `util.promisify` gives both outputs. */
function promised (run) {
  const custom = (...args) => {
    let child
    const promise = new Promise((resolve, reject) => {
      child = run(...args, (error, stdout, stderr) => error === null ? resolve({ stdout, stderr }) : reject(Object.assign(error, { stdout, stderr })))
    })
    promise.child = child
    return promise
  }
  Object.defineProperty(run, Symbol.for('nodejs.util.promisify.custom'), { value: custom, enumerable: false })
}
promised(exec)
promised(execFile)

function spawnSync (file, args, options) {
  const [list, given] = sorted(args, options)
  const { input, encoding } = given
  const bytes = input === undefined || input === null ? undefined : Uint8Array.from(typeof input === 'string' ? globalThis.Buffer.from(input) : new Uint8Array(input.buffer, input.byteOffset, input.byteLength))
  const ended = native.processRun(plan(file, list, given), bytes)
  if (typeof ended === 'string') {
    const error = systemError(ended, `spawnSync ${file}`, { path: file, spawnargs: list })
    error.syscall = `spawnSync ${file}`
    return { error, pid: 0, status: null, signal: null, output: null, stdout: null, stderr: null }
  }
  const text = (output) => {
    const buffer = globalThis.Buffer.from(output.buffer, output.byteOffset, output.byteLength)
    return encoding === undefined || encoding === null || encoding === 'buffer' ? buffer : buffer.toString(encoding)
  }
  const [stdout, stderr] = [text(ended.stdout), text(ended.stderr)]
  return { pid: ended.pid, status: ended.signal === 0 ? ended.code : null, signal: signalName(ended.signal), output: [null, stdout, stderr], stdout, stderr }
}

function checked (result, shown, options) {
  if (result.error !== undefined) throw result.error
  if (options.stdio === undefined && result.stderr.length > 0) globalThis.process.stderr.write(result.stderr)
  if (result.status !== 0) throw Object.assign(new Error(`Command failed: ${shown}\n${result.stderr}`), result)
  return result.stdout
}

function execFileSync (file, args, options) {
  const [list, given] = sorted(args, options)
  return checked(spawnSync(file, list, given), [file, ...list].join(' '), given)
}

function execSync (text, options = {}) {
  return checked(spawnSync(text, [], { ...options, shell: typeof options.shell === 'string' ? options.shell : true }), text, options)
}

function fork () {
  throw Object.assign(new Error('child_process.fork is not supported by Strait, whose children are forked by utilityProcess.fork of electron (docs/electron-compatibility.md)'), { code: 'ERR_METHOD_NOT_IMPLEMENTED' })
}

module.exports = { exports: { ChildProcess, spawn, exec, execFile, spawnSync, execSync, execFileSync, fork }, signalNumber }
