// Keeps the worker's own log, thousands of lines, out of what the tests print. What a test has to say goes to `console.info`.
console.log = () => {}
