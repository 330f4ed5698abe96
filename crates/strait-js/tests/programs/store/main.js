'use strict'
// A program that keeps its settings as such packages do: beside the file, onto the disk, and then into its place, so that whoever reads it finds the old or the new whole.
const { app } = require('electron')
const fs = require('fs')
const os = require('os')
const { join } = require('path')
const { promisify } = require('util')

const folder = fs.mkdtempSync(join(os.tmpdir(), 'strait-store-'))
const open = () => fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync(`/proc/self/fd/${fd}`) } catch { return '' } }).filter((path) => path.startsWith(folder)).length

const [openFile, write, fsync, close, rename, chown, chmod, stat] = ['open', 'write', 'fsync', 'close', 'rename', 'chown', 'chmod', 'stat'].map((name) => promisify(fs[name]))
let count = 0
const temporary = (file) => `${file}.tmp-${process.pid}-${count++}`

function saveSync (file, text) {
  const beside = temporary(file)
  const { mode, uid, gid } = fs.statSync(file, { throwIfNoEntry: false }) ?? { mode: 0o600 }
  const fd = fs.openSync(beside, 'w', mode)
  try {
    fs.writeSync(fd, text, 0, 'utf8')
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  if (uid !== undefined) fs.chownSync(beside, uid, gid)
  fs.chmodSync(beside, mode & 0o777)
  fs.renameSync(beside, file)
}

async function save (file, text) {
  const beside = temporary(file)
  const { mode, uid, gid } = await stat(file)
  const fd = await openFile(beside, 'w', mode)
  try {
    await write(fd, text, 0, 'utf8')
    await fsync(fd)
  } finally {
    await close(fd)
  }
  await chown(beside, uid, gid)
  await chmod(beside, mode & 0o777)
  await rename(beside, file)
}

async function main () {
  const file = join(folder, 'settings.json')
  saveSync(file, JSON.stringify({ n: 0, name: 'Grüße' }))
  console.log('saved', JSON.parse(fs.readFileSync(file, 'utf8')).name, (fs.statSync(file).mode & 0o777).toString(8))

  // Many writers at once, and a reader all the while: it never sees half of one.
  let writing = true
  const seen = new Set()
  const reading = (async () => {
    while (writing) seen.add(JSON.parse(await fs.promises.readFile(file, 'utf8')).n)
  })()
  const filler = 'x'.repeat(50_000)
  for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 8 }, (_, n) => save(file, JSON.stringify({ n: round * 8 + n + 1, filler }))))
  writing = false
  await reading
  console.log('whole', [...seen].every((n) => n >= 0 && n <= 40), seen.size > 0, fs.readdirSync(folder).join())
  console.log('kept', (fs.statSync(file).mode & 0o777).toString(8), 'open', open())

  // What fails leaves the old one, and says what failed.
  try { saveSync(join(folder, 'nowhere', 'settings.json'), '{}') } catch ({ code, syscall }) { console.log('failed', code, syscall) }
  await save(join(folder, 'absent.json'), '{}').catch(({ code, syscall }) => console.log('failed', code, syscall))

  // A log that several write to: each line is appended whole.
  const log = join(folder, 'log')
  await Promise.all(Array.from({ length: 60 }, (_, n) => n % 2 === 0 ? fs.promises.appendFile(log, `${n} ${'.'.repeat(n)}\n`) : promisify(fs.appendFile)(log, `${n} ${'.'.repeat(n)}\n`)))
  const lines = fs.readFileSync(log, 'utf8').trimEnd().split('\n')
  console.log('lines', lines.length, lines.every((line) => { const [, n, dots] = /^(\d+) (\.*)$/.exec(line) ?? []; return Number(n) === dots?.length }))

  const handle = await fs.promises.open(log, 'a+')
  await handle.appendFile('end')
  console.log('handle', (await handle.readFile('utf8')).length, (await handle.stat()).size > 60, open())
  await handle.close()
  console.log('closed', handle.fd, open())

  // The process's own streams are files too.
  console.log('written', fs.writeSync(1, 'to the output\n'))
  const { syscall, code } = (() => { try { fs.fstatSync(99999) } catch (error) { return error } })()
  console.log('not open', syscall, code)

  // A pipe that nobody writes to holds one thread, and no other operation.
  require('child_process').execFileSync('mkfifo', [join(folder, 'pipe')])
  const waits = fs.promises.readFile(join(folder, 'pipe'), 'latin1')
  console.log('meanwhile', (await Promise.all(Array.from({ length: 20 }, () => fs.promises.stat(log)))).length)
  fs.writeFileSync(join(folder, 'pipe'), 'through the pipe')
  console.log(await waits)
  fs.rmSync(folder, { recursive: true })
  console.log('gone', fs.existsSync(folder))
}

main().then(() => app.quit(), (error) => { console.error(error); app.exit(1) })
