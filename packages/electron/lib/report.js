'use strict'
// Lines for people on standard error that wait for nobody: main goes on when nothing reads them, and their number is reported later.

const { format } = require('util')
const { native } = require('./native')

module.exports = {
  /** As `console.error`. */
  report: (...args) => native.report(format(...args))
}
