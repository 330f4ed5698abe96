// process.exit ends it at once, whatever surrounds it.
process.on('exit', (code) => console.log('exit', code, process.exitCode))
process.exitCode = 3
setTimeout(async () => {
  try {
    await Promise.resolve()
    process.exit(9)
  } catch {
    console.log('wrong: caught')
  } finally {
    console.log('wrong: finally')
  }
}, 5)
