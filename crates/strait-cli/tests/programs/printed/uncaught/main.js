const later = () => {
  throw new TypeError('nobody catches this')
}
console.log('before')
setTimeout(later, 1)
setTimeout(() => console.log('never'), 1000)
process.on('exit', (code) => console.log('exit', code))
