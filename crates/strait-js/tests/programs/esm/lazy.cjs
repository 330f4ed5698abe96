exports.lazy = async () => (await import('./counter.mjs')).count + ' from import()'
