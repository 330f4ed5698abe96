'use strict'
// The compatibility tables, which list the members of Electron's API.

const fs = require('fs')
const path = require('path')

const FOLDER = path.join(__dirname, '../compatibility')

module.exports = fs.readdirSync(FOLDER).map((file) => JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8')))
