// node fhirpath.mjs OBSERVATION SECONDS EXPRESSION...: fhirpath.js with R4's model, each expression compiled once.
import { readFileSync } from 'node:fs'
import fhirpath from 'fhirpath'
import model from 'fhirpath/fhir-context/r4/index.js'
import { rate } from './measure.mjs'

const [file, seconds, ...expressions] = process.argv.slice(2)
const observation = JSON.parse(readFileSync(file, 'utf8'))
const results = expressions.map((expression) => {
  const compiled = fhirpath.compile(expression, model)
  if (compiled(observation).length === 0) {
    throw new Error(`${expression} selects nothing`)
  }
  return rate(() => compiled(observation), Number(seconds))
})
console.log(JSON.stringify(results))
