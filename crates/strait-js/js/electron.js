'use strict'
// require('electron'), and what the host reports to it.

const { define } = require('strait:module')
const tokens = require('strait:tokens')
const { errorOf } = require('strait:errors')
const ports = require('strait:ports')
const { ipcMain, receive } = require('strait:ipc')
const frames = require('strait:frame')
const contents = require('strait:contents')
const windows = require('strait:window')
const utility = require('strait:utility')
const { app, reports, wantsReady } = require('strait:app')

const members = {
  app,
  BrowserWindow: windows.BrowserWindow,
  ipcMain,
  MessageChannelMain: ports.MessageChannelMain,
  utilityProcess: utility.utilityProcess,
  webContents: contents.webContents,
  webFrameMain: {
    fromId: (processId, key) => frames.known().find((frame) => frame.routingId === key && frame.processId === processId)
  }
}

/** Names that programs, loaders and the console ask every module for. */
const ASKED_OF_ALL = new Set(['then', 'default', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', '__esModule', '$$typeof', 'nodeType'])

// A missing member would be `undefined`, and the program would fail somewhere else with a message about that.
const electron = new Proxy(members, {
  get (target, name) {
    if (name in target || typeof name === 'symbol' || ASKED_OF_ALL.has(name)) return target[name]
    throw new Error(`electron.${name} is not supported by Strait's main process, which has: ${Object.keys(members).join(', ')}`)
  }
})

define(['electron', 'electron/main', 'electron/common'], () => electron)

const handlers = {
  ...contents.reports,
  ...windows.reports,
  ...reports,
  ...utility.reports,
  chunk: (token, bytes) => tokens.resolve(token, bytes),
  loaded: (token) => tokens.resolve(token),
  'load-failed': (token, message, code, errno, url) => tokens.reject(token, Object.assign(new Error(message), { code, errno, url })),
  script (token, bytes) {
    try {
      tokens.resolve(token, ports.read(bytes, []).data)
    } catch (error) {
      tokens.reject(token, error)
    }
  },
  done: (token, value) => tokens.resolve(token, value ?? undefined),
  'script-failed': (token, text) => tokens.reject(token, errorOf(text)),
  ipc (contentsId, frameKey, kind, channel, bytes, ids, responder) {
    receive({ sender: contents.of(contentsId), frame: frames.of(frameKey), kind, channel, bytes, ids, responder })
  }
}

module.exports = {
  wantsReady,
  /** One report of the host. `true` prevents what it announces. */
  dispatch (name, ...args) { return handlers[name](...args) === true }
}
