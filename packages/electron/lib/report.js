'use strict'
// Lines for people on standard error, written without waiting for a reader. If the reader is too
// slow, lines are dropped and their number is reported later.

const { format } = require('util')
const { native } = require('./native')

module.exports = {
  /** Prints a line; the arguments are those of `console.error`. */
  report: (...args) => native.report(format(...args))
}
