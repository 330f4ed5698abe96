const path = require('path')
const show = (...args) => console.log(...args)
const fails = (name) => { try { require(name); show(name, 'was found') } catch (error) { show(name, error.code, error.message.split('\n')[0].replace(__dirname, '.').replace(/ has .*/, '')) } }

show('same path module', path === require('node:path'))
show('__dirname', path.basename(__dirname), '__filename', path.basename(__filename))
show('main', require.main === module, module.id, module.loaded, typeof module.paths[0])
show('relative', require('./lib/add')(2, 3), require('./lib/add.js') === require('./lib/add'))
show('folder', require('./lib').name)
show('json', require('./data').list, require('./data.json') === require('./data'))
show('packages', require('plain'), require('with-main').from, require('with-exports').from, require('with-exports/sub'), require('with-exports/files/one'), require('@scope/pkg'))
fails('with-exports/secret')
show('cycle', require('./lib/a').seen)
show('resolve', path.relative(__dirname, require.resolve('plain')), require.resolve('fs'), require.resolve('electron'))
show('cache', Object.keys(require.cache).some((file) => file.endsWith('add.js')))
fails('./nowhere')
fails('no-such-package')
fails('node:nothing')
fails('')
try { require('./lib/broken.json') } catch (error) { show(error.name, error.message.includes('broken.json')) }
try { require('./lib/syntax') } catch (error) { show(error.name, /syntax\.js:2/.test(error.stack)) }
try { require('./lib/throws') } catch (error) { show(error.message, /throws\.js:3:/.test(error.stack)) }
show('after a failure it runs again', globalThis.throwsRan, (() => { try { require('./lib/throws') } catch { return globalThis.throwsRan } })())
show('exports', require('./lib/exports').value, require('./lib/this').same)
show('electron', require('electron') === require('electron/main'), typeof require('electron').app.whenReady)
show('globals', typeof Buffer, typeof URL, typeof TextEncoder, typeof AbortController, typeof performance.now, globalThis === global)
show('url', new URL('../b?x=1#h', 'http://h/a/c').href, require('url').pathToFileURL('/a b').href)
show('util', require('util').format('%s=%d', 'x', 4), require('util').isDeepStrictEqual({ a: [1] }, { a: [1] }))
show('decoder', new (require('string_decoder').StringDecoder)('utf8').write(Buffer.from('é')))
show('os', typeof require('os').tmpdir(), require('assert').ok(true))
const fs = require('fs')
show('fs', fs.existsSync(__filename), fs.existsSync('/no/such'), fs.readdirSync(path.join(__dirname, 'lib')).includes('add.js'))
try { fs.readFileSync('/no/such/file') } catch (error) { show(error.code, error.message) }
fs.promises.readFile('/no/such/file').catch((error) => {
  show('promise', error.code)
  fs.readFile('/no/such/file', (error) => {
    show('callback', error.code)
    process.exit()
  })
})
