const { app } = require('electron')
const { spawn, exec, execFile, execSync, execFileSync, spawnSync, fork } = require('child_process')
const { promisify } = require('util')
const assert = require('node:assert')

const text = (stream) => new Promise((resolve) => {
  let all = ''
  stream.setEncoding('utf8').on('data', (chunk) => { all += chunk }).on('end', () => resolve(all))
})
const ended = (child) => new Promise((resolve) => child.on('close', (...args) => resolve(args)))

async function main () {
  const cat = spawn('cat')
  cat.on('spawn', () => console.log('spawned', cat.pid > 0, cat.stdin.writable))
  cat.on('exit', (code, signal) => console.log('exit', code, signal, cat.exitCode))
  cat.stdin.write('one ')
  cat.stdin.end('two')
  console.log(await text(cat.stdout), await ended(cat))

  const large = spawn('sh', ['-c', 'cat | wc -c'])
  let drained = 0
  large.stdin.on('drain', () => drained++)
  const chunk = Buffer.alloc(100000, 'x')
  for (let i = 0; i < 50; i++) if (!large.stdin.write(chunk)) await new Promise((resolve) => large.stdin.once('drain', resolve))
  large.stdin.end()
  console.log((await text(large.stdout)).trim(), drained > 0)

  const where = spawn('sh', ['-c', 'echo $MARK; pwd; echo oops >&2; exit 3'], { cwd: '/', env: { MARK: 'marked', PATH: process.env.PATH } })
  console.log(JSON.stringify(await Promise.all([text(where.stdout), text(where.stderr), ended(where)])))

  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' })
  console.log(sleeper.stdout, sleeper.kill(), sleeper.killed, await ended(sleeper), sleeper.signalCode, sleeper.kill())
  const late = spawn('sleep', ['60'], { timeout: 50, killSignal: 'SIGKILL' })
  console.log('timeout', await ended(late))
  const aborter = new AbortController()
  const aborted = spawn('sleep', ['60'], { signal: aborter.signal })
  aborted.on('error', (error) => console.log(error.name, error.code))
  aborter.abort()
  console.log(await ended(aborted))

  const nothing = spawn('/no/such/program', ['x'])
  nothing.on('error', (error) => console.log(error.message, error.code, error.syscall, error.path, nothing.pid))
  console.log(await ended(nothing))

  await new Promise((resolve) => exec('echo "$A b"; exit 2', { env: { A: 'a' } }, (error, stdout, stderr) => {
    console.log(error.code, error.cmd, error.killed, JSON.stringify(stdout), JSON.stringify(stderr))
    resolve()
  }))
  console.log(await promisify(execFile)('echo', ['promised']))
  await promisify(exec)('echo said; false').catch((error) => console.log(error.code, error.stdout.trim(), error.message))
  await promisify(exec)('yes', { maxBuffer: 1000 }).catch((error) => console.log(error.code))

  console.log(execSync('echo sync').toString().trim(), execFileSync('cat', { input: 'given', encoding: 'utf8' }))
  try { execSync('exit 5', { stdio: 'ignore' }) } catch (error) { console.log(error.status, error.message.trim()) }
  const result = spawnSync('sh', ['-c', 'echo out; echo err >&2; kill -9 $$'], { encoding: 'utf8' })
  console.log(result.status, result.signal, result.stdout.trim(), result.stderr.trim(), spawnSync('/nope').error.code)
  assert.throws(() => fork('x.js'), /utilityProcess\.fork/)
  assert.throws(() => spawn(5), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => spawn(''), { code: 'ERR_INVALID_ARG_VALUE' })
  assert.throws(() => spawn('cat').kill('SIGNOPE'), { code: 'ERR_UNKNOWN_SIGNAL' })
  const lines = []
  for await (const chunk of spawn('printf', ['a\\nb\\n']).stdout) lines.push(String(chunk))
  console.log(JSON.stringify(lines.join('')))
  const piped = spawn('sort')
  spawn('printf', ['b\\na\\n']).stdout.pipe(piped.stdin)
  console.log(JSON.stringify(await text(piped.stdout)))
  app.quit()
}
main()
