exports.value = 7
