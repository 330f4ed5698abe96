'use strict'
// What a child process has of Electron: process.parentPort, and require('electron') with channels.

const { define } = require('strait:module')
const { process } = require('strait:process')
const { policy } = require('strait:errors')
const { MessageChannelMain } = require('strait:ports')
const { parentPort } = require('strait:parent-port')
const { exported } = require('strait:unsupported')

// They were for this process alone.
delete process.env.STRAIT_PORT_FD
delete process.env.STRAIT_INSPECT_PORTS
Object.assign(process, { type: 'utility', title: native.processName })
Object.defineProperty(process, 'parentPort', { value: parentPort, writable: true, configurable: true, enumerable: true })
// A promise that nobody handles is worth a warning here, and in main the end.
policy.rejectionsEnd = false

/** What a report may be long: an error's text may be anything. */
const LONGEST = 1 << 16

// A script that has used up what it may use. (Too deep a recursion is an error like others, as in Electron.)
policy.isFatal = (error) => {
  if (native.memoryLimit === 0 || !(error instanceof InternalError) || error.message !== 'out of memory') return false
  const text = String(error.stack ?? error)
  const [, location = ''] = /^ +at (?:.* \()?([^()\n]+:\d+)\)?$/m.exec(text) ?? []
  native.fatal(location, `${text}\nThe script may use ${native.memoryLimit / (1 << 20)} MiB (--max-old-space-size).`.slice(0, LONGEST))
  return true
}

const electron = exported('electron/utility', { MessageChannelMain })

define(['electron', 'electron/utility', 'electron/common'], () => electron)

module.exports = {
  /** Nothing is reported to a child but that it begins. */
  dispatch () { return false }
}
