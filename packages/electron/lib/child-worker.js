'use strict'
// require('electron') in a worker thread of a utility process.

module.exports = {
  start: () => require('./loader').provide(() => require('./unsupported').exported('electron/utility', require('./worker')), ['electron', 'electron/utility', 'electron/common'])
}
