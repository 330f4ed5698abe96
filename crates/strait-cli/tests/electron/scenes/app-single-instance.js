// covers app.requestSingleInstanceLock succeeds
// covers app.requestSingleInstanceLock fails
// covers app.hasSingleInstanceLock succeeds
// covers app.hasSingleInstanceLock fails
// covers app.releaseSingleInstanceLock succeeds
// covers app.releaseSingleInstanceLock fails
// covers app:second-instance succeeds
// prints before false
// prints nothing to release false
// prints uncloneable An object could not be cloned. false
// prints first true true true
// again waits
// again-prints later false false
// prints second-instance true true {"from":"later"}
// prints released false
// prints once more true true
// exits 0
'use strict'
// The later one of two instances tells the first one and ends.
const { app } = require('electron')
const fs = require('fs')
const path = require('path')

app.setPath('userData', path.join(process.env.SCENE_FOLDER, 'user data'))
const mark = path.join(process.env.SCENE_FOLDER, 'first')

if (fs.existsSync(mark)) {
  console.log('later', app.requestSingleInstanceLock({ from: 'later' }), app.hasSingleInstanceLock())
  app.exit(0)
} else {
  fs.writeFileSync(mark, '')
  console.log('before', app.hasSingleInstanceLock())
  app.releaseSingleInstanceLock()
  console.log('nothing to release', app.hasSingleInstanceLock())
  try {
    app.requestSingleInstanceLock(() => {})
  } catch (error) {
    console.log('uncloneable', error.message, app.hasSingleInstanceLock())
  }
  // To ask again is to have it still.
  console.log('first', app.requestSingleInstanceLock(), app.requestSingleInstanceLock({ any: 1 }), app.hasSingleInstanceLock())
  app.on('second-instance', (event, args, folder, data) => {
    console.log('second-instance', app.isReady() && path.isAbsolute(folder), args.some((arg) => arg.endsWith('app-single-instance.js')), JSON.stringify(data))
    app.releaseSingleInstanceLock()
    console.log('released', app.hasSingleInstanceLock())
    console.log('once more', app.requestSingleInstanceLock(), app.hasSingleInstanceLock())
    app.quit()
  })
  app.whenReady().then(() => console.log('waits'))
}
