module.exports = { same: this === exports }
