// covers app.exit fails
// prints quit 3
// exits 3
'use strict'
// The system has room for eight bits of a code.
const { app } = require('electron')

app.on('quit', (event, code) => console.log('quit', code))
app.whenReady().then(() => app.exit(256 + 3))
