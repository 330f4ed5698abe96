// Runs a program of the corpus as Node does.
import { pathToFileURL } from 'node:url'

import(pathToFileURL(process.argv[2]).href).catch((error) => console.log(`ended by ${error.name}: ${error.message.split('\n')[0]}`))
