'use strict'
module.exports = { dispatch () {} }
