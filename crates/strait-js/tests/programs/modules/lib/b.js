exports.sawOfA = require('./a').seen
