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
const { exported, refuse } = require('strait:unsupported')

const members = {
  app,
  BrowserWindow: windows.BrowserWindow,
  ipcMain,
  MessageChannelMain: ports.MessageChannelMain,
  utilityProcess: utility.utilityProcess,
  webContents: contents.webContents,
  webFrameMain: {
    fromId: (processId, key) => frames.known().find((frame) => frame.routingId === key && frame.processId === processId),
    fromFrameToken: (processId, token) => frames.known().find((frame) => frame.frameToken === token && frame.processId === processId) ?? null
  }
}

refuse(frames.WebFrameMain, 'webFrameMain', members.webFrameMain)

const electron = exported('electron', members)

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
  ipc (contentsId, frameKey, kind, channel, bytes, ids, responder, document, origin, leaving) {
    const from = [document, origin, leaving]
    receive({ sender: contents.of(contentsId), frame: frames.of(frameKey), from, kind, channel, bytes, ids, responder })
  }
}

module.exports = {
  wantsReady,
  /** One report of the host. `true` prevents what it announces. */
  dispatch (name, ...args) { return handlers[name](...args) === true }
}
