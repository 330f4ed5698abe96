'use strict'
// The console of the program: log, info, debug to stdout; warn, error, trace, assert to stderr.

const { formatWith, inspect } = require('strait:inspect')

const OUT = 1
const ERR = 2

class Console {
  #indent = ''
  #counts = new Map()
  #times = new Map()

  constructor () {
    // Methods are passed around unbound (`promise.then(console.log)`).
    for (const name of Object.getOwnPropertyNames(Console.prototype)) {
      if (name !== 'constructor') Object.defineProperty(this, name, { value: this[name].bind(this), writable: true, configurable: true, enumerable: true })
    }
  }

  log (...args) { this.#print(OUT, args) }
  info (...args) { this.#print(OUT, args) }
  debug (...args) { this.#print(OUT, args) }
  warn (...args) { this.#print(ERR, args) }
  error (...args) { this.#print(ERR, args) }
  dir (value, options) { this.#line(OUT, inspect(value, options)) }
  dirxml (...args) { this.#print(OUT, args) }
  table (...args) { this.#print(OUT, args) }

  trace (...args) {
    const holder = {}
    Error.captureStackTrace(holder, this.trace)
    this.#line(ERR, `Trace${args.length ? ': ' + formatWith({}, ...args) : ''}\n${String(holder.stack).replace(/^(?! {4}at ).*\n/, '')}`)
  }

  assert (condition, ...args) {
    if (condition) return
    if (typeof args[0] === 'string') args[0] = `Assertion failed: ${args[0]}`
    else args.unshift('Assertion failed')
    this.#print(ERR, args)
  }

  count (label = 'default') {
    const count = (this.#counts.get(`${label}`) ?? 0) + 1
    this.#counts.set(`${label}`, count)
    this.#line(OUT, `${label}: ${count}`)
  }

  countReset (label = 'default') { this.#counts.delete(`${label}`) }
  time (label = 'default') { this.#times.set(`${label}`, native.now()) }
  timeLog (label = 'default', ...args) { this.#elapsed(label, args) }

  timeEnd (label = 'default') {
    this.#elapsed(label, [])
    this.#times.delete(`${label}`)
  }

  group (...args) {
    if (args.length) this.#print(OUT, args)
    this.#indent += '  '
  }

  groupCollapsed (...args) { this.group(...args) }
  groupEnd () { this.#indent = this.#indent.slice(2) }
  clear () { if (native.isTerminal(OUT)) native.write(OUT, '\u001b[1;1H\u001b[0J') }

  #elapsed (label, args) {
    const start = this.#times.get(`${label}`)
    if (start === undefined) { this.#print(ERR, [`Warning: No such label '${label}' for console.timeEnd()`]); return }
    const elapsed = native.now() - start
    const shown = elapsed >= 1000 ? `${(elapsed / 1000).toFixed(3)}s` : `${Number(elapsed.toPrecision(6))}ms`
    this.#print(OUT, [`${label}: ${shown}`, ...args])
  }

  #print (fd, args) { this.#line(fd, formatWith({ colors: native.isTerminal(fd) }, ...args)) }

  #line (fd, text) {
    if (this.#indent !== '') text = this.#indent + text.replaceAll('\n', '\n' + this.#indent)
    native.write(fd, text + '\n')
  }
}

module.exports = { Console, console: new Console() }
