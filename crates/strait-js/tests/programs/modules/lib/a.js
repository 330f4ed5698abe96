exports.seen = 'a before b'; const b = require('./b'); exports.seen = b.sawOfA
