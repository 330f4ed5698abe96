'use strict'
// What the tests work with.
const { BrowserWindow } = require('electron')
const assert = require('assert')
const fs = require('fs')
const path = require('path')

/** The longest a single thing may take. */
const PATIENCE = 60_000

const BLANK = path.join(__dirname, 'blank.html')

const words = (error) => error instanceof Error ? error.stack ?? String(error) : String(error)

class Test {
  assertions = 0
  #windows = []
  #folder
  #cleanups = []

  equal (actual, expected, message) { this.assertions++; assert.strictEqual(actual, expected, message) }
  deepEqual (actual, expected, message) { this.assertions++; assert.deepStrictEqual(actual, expected, message) }
  ok (value, message) { this.assertions++; assert.ok(value, message) }

  /** `expected`: the whole message, or a pattern. Gives the error. */
  throws (action, expected) {
    let error
    try {
      action()
    } catch (thrown) {
      error = thrown
    }
    return this.#failed(error, expected)
  }

  async rejects (promise, expected) {
    let error
    await promise.catch((thrown) => { error = thrown })
    return this.#failed(error, expected)
  }

  #failed (error, expected) {
    this.assertions++
    assert.ok(error !== undefined, `no error, expected: ${expected}`)
    const message = error instanceof Error ? error.message : String(error)
    if (expected instanceof RegExp) assert.match(message, expected)
    else if (expected !== undefined) assert.strictEqual(message, expected)
    return error
  }

  /** A window that nobody sees and that goes with the test. Its pages have `require`, unless `options.webPreferences` says otherwise. */
  window (options = {}) {
    const window = new BrowserWindow({ show: false, ...options, webPreferences: { nodeIntegration: true, ...options.webPreferences } })
    this.#windows.push(window)
    return window
  }

  /** The same with a page in it: a blank one, or of this text. */
  async page (options, text) {
    const window = this.window(options)
    await window.loadFile(text === undefined ? BLANK : this.file('page.html', text))
    return window
  }

  /** Runs a function in the page; what it gives comes back. */
  run (window, body, ...args) {
    return window.webContents.executeJavaScript(`(${body})(${args.map((arg) => JSON.stringify(arg) ?? 'undefined').join(', ')})`)
  }

  /** A file that goes with the test; gives its path. */
  file (name, text) {
    if (this.#folder === undefined) this.#folder = fs.mkdtempSync('/tmp/strait-electron-')
    const file = path.join(this.#folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
    return file
  }

  /** The arguments of the next event. */
  event (emitter, name) {
    return this.within(new Promise((resolve) => emitter.once(name, (...args) => resolve(args))), `the event '${name}'`)
  }

  /** The promise, or an error when it takes too long. */
  within (promise, what = 'the test') {
    let timer
    const late = new Promise((_resolve, reject) => { timer = setTimeout(() => reject(new Error(`${what} took more than ${PATIENCE} ms`)), PATIENCE) })
    return Promise.race([promise, late]).finally(() => clearTimeout(timer))
  }

  /** Does something when the test is over. */
  after (cleanup) { this.#cleanups.push(cleanup) }

  async end () {
    for (const cleanup of this.#cleanups.reverse()) await cleanup()
    await Promise.all(this.#windows.filter((window) => !window.isDestroyed()).map((window) => {
      const closed = this.event(window, 'closed')
      window.destroy()
      return closed
    }))
    if (this.#folder !== undefined) fs.rmSync(this.#folder, { recursive: true, force: true })
  }
}

module.exports = { Test, words, BLANK }
