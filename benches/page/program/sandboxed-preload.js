// Gives the measuring page in a sandbox what the others have by nodeIntegration.
globalThis.electron = require('electron')
