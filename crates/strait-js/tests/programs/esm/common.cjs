exports.fromModule = require('./required.mjs').default + ' in CommonJS'
