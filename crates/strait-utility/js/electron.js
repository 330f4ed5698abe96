'use strict'
// What a child process has of Electron: process.parentPort, and require('electron') with channels.

const { define } = require('strait:module')
const { process } = require('strait:process')
const { policy } = require('strait:errors')
const { MessageChannelMain } = require('strait:ports')
const { parentPort } = require('strait:parent-port')

// They were for this process alone.
delete process.env.STRAIT_PORT_FD
delete process.env.STRAIT_INSPECT_PORTS
Object.assign(process, { type: 'utility', title: native.processName })
Object.defineProperty(process, 'parentPort', { value: parentPort, writable: true, configurable: true, enumerable: true })
// A promise that nobody handles is worth a warning here, and in main the end.
policy.rejectionsEnd = false

const members = { MessageChannelMain }

/** Names that programs, loaders and the console ask every module for. */
const ASKED_OF_ALL = new Set(['then', 'default', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', '__esModule', '$$typeof', 'nodeType'])

const electron = new Proxy(members, {
  get (target, name) {
    if (name in target || typeof name === 'symbol' || ASKED_OF_ALL.has(name)) return target[name]
    throw new Error(`electron.${name} is not supported by Strait's utility processes, which have: ${Object.keys(members).join(', ')} (docs/electron-compatibility.md)`)
  }
})

define(['electron', 'electron/utility', 'electron/common'], () => electron)

module.exports = {
  /** Nothing is reported to a child but that it begins. */
  dispatch () { return false }
}
