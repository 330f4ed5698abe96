'use strict'
// require('electron') in a worker thread of a main process or a utility process.

module.exports = {
  start () {
    Object.defineProperty(process, 'type', { value: 'worker', writable: true, enumerable: true, configurable: true })
    require('./loader').provide(() => require('./unsupported').exported('electron/utility', require('./worker')), 'electron/utility')
  }
}
