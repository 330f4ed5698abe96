const fine = 1

const wrong = = 2
