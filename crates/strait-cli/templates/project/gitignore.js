/node_modules
