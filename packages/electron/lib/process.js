'use strict'
// What a main process's `process` has beside Node's own (https://www.electronjs.org/docs/latest/api/process).

const { native } = require('./native')

module.exports = {
  complete ({ root }) {
    const { version } = native
    Object.assign(process.versions, { strait: version })
    for (const [name, value] of Object.entries({ type: 'browser', defaultApp: true, resourcesPath: root })) {
      Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true })
    }
  }
}
