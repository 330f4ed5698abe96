'use strict'
// require('electron') of a main process, and the handlers of the addon's reports.

const tokens = require('./tokens')
const { errorOf } = require('./errors')
const ports = require('./ports')
const { ipcMain, receive } = require('./ipc')
const frames = require('./frame')
const contents = require('./contents')
const windows = require('./window')
const utility = require('./utility')
const { app, reports, wantsReady } = require('./app')
const { exported, refuse } = require('./unsupported')

const members = {
  app,
  BrowserWindow: windows.BrowserWindow,
  ipcMain,
  MessageChannelMain: ports.MessageChannelMain,
  MessagePortMain: ports.MessagePortMain,
  utilityProcess: utility.utilityProcess,
  webContents: contents.webContents,
  webFrameMain: {
    fromId: (processId, key) => frames.known().find((frame) => frame.routingId === key && frame.processId === processId),
    fromFrameToken: (processId, token) => frames.known().find((frame) => frame.frameToken === token && frame.processId === processId) ?? null
  }
}

refuse(frames.WebFrameMain, 'webFrameMain', members.webFrameMain)

const electron = exported('electron', members)

const handlers = {
  ...ports.reports,
  ...contents.reports,
  ...windows.reports,
  ...reports,
  ...utility.reports,
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
  electron,
  /** Whether the program has called `whenReady`. */
  wantsReady,
  /** Settles `whenReady()` and emits 'ready'. */
  becomeReady: reports.ready,
  /** Adds handlers for further reports, by name. */
  addReports (more) { Object.assign(handlers, more) },
  /** Handles one report of the addon. `true` prevents the default action of the event. */
  dispatch: (name, ...args) => handlers[name](...args) === true
}
