'use strict'
// The global `process`: the runtime's own, made an EventEmitter and completed.

const EventEmitter = require('strait:events')

const process = globalThis.process

Object.setPrototypeOf(process, Object.create(EventEmitter.prototype))
EventEmitter.call(process)

const ticks = []

function nextTick (callback, ...args) {
  if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function.')
  ticks.push(() => Reflect.apply(callback, undefined, args))
  native.wantTick()
}

/** Runs one queued callback; true while there are more. */
function runTick () {
  ticks.shift()?.()
  return ticks.length > 0
}

let exitAnnounced = false

/** 'exit' is emitted once, whichever way the program ends. */
function announceExit (code) {
  if (exitAnnounced) return
  exitAnnounced = true
  process.exitCode = code
  process.emit('exit', code)
}

function exit (code) {
  if (code !== undefined) process.exitCode = code
  const final = Number(process.exitCode ?? 0) & 255
  announceExit(final)
  native.exit(Number(process.exitCode ?? final) & 255)
}

function stream (fd) {
  return {
    fd,
    isTTY: native.isTerminal(fd),
    writable: true,
    write (data, encoding, callback) {
      native.write(fd, typeof data === 'string' ? data : new TextDecoder().decode(data))
      const done = typeof encoding === 'function' ? encoding : callback
      if (typeof done === 'function') nextTick(done)
      return true
    },
    end (data) { if (data !== undefined) this.write(data) },
    on () { return this },
    once () { return this },
    off () { return this },
    emit () { return false }
  }
}

let exitCode
Object.defineProperty(process, 'exitCode', {
  get: () => exitCode,
  set (code) {
    if (code !== undefined && code !== null && !Number.isInteger(Number(code))) throw new RangeError(`The value of "code" is out of range. It must be an integer. Received ${code}`)
    exitCode = code ?? undefined
  },
  configurable: true,
  enumerable: true
})

delete process.id
Object.assign(process, {
  pid: native.pid,
  ppid: native.parentPid,
  title: 'strait',
  type: 'browser',
  execPath: native.executable,
  argv0: native.executable,
  argv: [native.executable, native.program.main, ...native.program.args],
  execArgv: [...native.program.execArgs],
  nextTick,
  exit,
  abort: () => native.exit(134),
  stdout: stream(1),
  stderr: stream(2),
  uptime: () => native.now() / 1000,
  umask: () => 0o22,
  emitWarning (warning, type = 'Warning') {
    const text = warning instanceof Error ? `${warning.name}: ${warning.message}` : `${typeof type === 'object' ? type.type ?? 'Warning' : type}: ${warning}`
    native.write(2, `(strait:${native.pid}) ${text}\n`)
  }
})
process.versions.strait = native.version

module.exports = { process, runTick, announceExit, exitCode: () => Number(exitCode ?? 0) & 255 }
