/** The labs and the node that come with Fernlab, as a lab builder would have written them. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@fernlab/edge/config/config'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import { missingFrom } from '@fernlab/shared/capabilities/signals'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { checkProtocol } from '@fernlab/shared/protocol/check-protocol'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { checkLabFolder, type LabBundle } from '@fernlab/shared/protocol/lab-folder'
import { checkParameters } from '@fernlab/shared/protocol/parameters'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('demo labs')
const root = fileURLToPath(new URL('../../../shared/labs/', import.meta.url))
const LABS = ['rc-circuit', 'diode-iv', 'membrane', 'thermal-control']

async function folder(lab: string): Promise<Record<string, Uint8Array>> {
  const entries = await readdir(join(root, lab), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = files.map(async (file) => [file.slice(join(root, lab).length + 1), await readFile(file)] as const)
  return Object.fromEntries(await Promise.all(read))
}

async function bundle(lab: string): Promise<LabBundle> {
  const { lab: found, issues } = checkLabFolder(await folder(lab), { folder: lab })
  assert.equal(issues, [])
  assert.ok(found)
  return found
}

const drivers = builtInDrivers()
const node = () => loadConfig({ file: join(root, 'demo-node/node.yaml') }, drivers)

/** The demo benches of a lab: each with the specs of its parts. */
async function benchesOf(lab: string) {
  const { file } = await node()
  const make = async (name: string): Promise<InstrumentSpec> => {
    const entry = file.instruments[name]
    const driver = drivers.find(({ kind }) => kind === entry?.driver)
    assert.ok(entry && driver)
    const openTransport = createOpenTransport({ clock: systemClock, log: silentLog })
    const context = { name, clock: systemClock, log: silentLog, openTransport, configFolder: join(root, 'demo-node') }
    return (await driver.create(entry.config, context)).spec
  }
  return await Promise.all(
    Object.entries(file.benches)
      .filter(([, bench]) => bench.labs?.includes(lab))
      .map(async ([name, bench]) => {
        const parts = Object.entries(bench.parts).map(
          async ([part, instrument]) => [part, await make(instrument)] as const,
        )
        return { name, bench, parts: Object.fromEntries(await Promise.all(parts)) }
      }),
  )
}

test('every folder that is not the node is one of the labs, and passes its check', async () => {
  const folders = (await readdir(root)).filter((name) => name !== 'demo-node')
  assert.equal(folders.sort(), [...LABS].sort())
  for (const lab of LABS) assert.is((await bundle(lab)).id, lab)
})

test('every lab speaks English and Spanish, with a text to read, a picture and sources', async () => {
  for (const lab of LABS) {
    const { lab: file, readme, protocols } = await bundle(lab)
    for (const language of ['en', 'es']) {
      for (const text of [file.title, file.summary, file.subject, file.level]) {
        assert.ok(typeof text === 'object' && (text[language] ?? '').length > 0, `${lab} ${language}`)
      }
      const words = readme[language] ?? ''
      assert.ok(words.length > 2000, `${lab}: README in ${language}`)
      assert.match(words, language === 'en' ? /## Sources/ : /## Fuentes/)
      assert.match(words, /\$\$/)
    }
    assert.is(file.picture, 'picture.svg')
    for (const protocol of Object.values(protocols)) {
      for (const [name, parameter] of Object.entries(protocol.parameters)) {
        assert.ok(parameter.default !== undefined && typeof parameter.title === 'object', `${lab}: ${name}`)
      }
      assert.ok(Object.keys(protocol.outputs).length > 0 && protocol.plots.length > 0)
    }
  }
})

test('every protocol may run, with its defaults and at both ends of its parameters, on every bench that serves its lab', async () => {
  for (const lab of LABS) {
    const { protocols, lab: file } = await bundle(lab)
    const benches = await benchesOf(lab)
    assert.ok(benches.length > 0, `no bench serves ${lab}`)
    for (const { name, parts, bench } of benches) {
      for (const [part, requirement] of Object.entries(file.parts)) {
        assert.equal(missingFrom(requirement, parts[part] as InstrumentSpec), [], `${lab} on ${name}`)
      }
      for (const [protocolName, protocol] of Object.entries(protocols)) {
        for (const end of ['default', 'minimum', 'maximum'] as const) {
          const input = Object.fromEntries(
            Object.entries(protocol.parameters).map(([key, spec]) => [key, spec[end] ?? spec.default]),
          )
          const { values, issues } = checkParameters(protocol, input)
          assert.equal(issues, [], `${lab}/${protocolName}`)
          const limits = { ...file.limits, ...bench.limits }
          assert.equal(
            checkProtocol(protocol, { parts, limits, parameters: values }),
            [],
            `${lab}/${protocolName} ${end}`,
          )
        }
      }
    }
  }
})

test('the default runs are short', async () => {
  const longest: Record<string, number> = {
    'rc-circuit/charge-curve': 16,
    'rc-circuit/frequency-response': 60,
    'diode-iv/iv-curve': 15,
    'membrane/step-current': 3,
    'membrane/s1-s2': 5,
    // With all the time that cooling may take; a cool block begins at once.
    'thermal-control/step-response': 125,
    'thermal-control/closed-loop': 110,
  }
  for (const lab of LABS) {
    const { protocols } = await bundle(lab)
    const [bench] = await benchesOf(lab)
    for (const [name, protocol] of Object.entries(protocols)) {
      const { values } = checkParameters(protocol, {})
      const { seconds } = estimate(protocol, values, bench === undefined ? {} : { parts: bench.parts })
      assert.ok(seconds > 0 && seconds <= (longest[`${lab}/${name}`] ?? 0), `${lab}/${name} takes ${seconds} s`)
    }
  }
})

test('the demo node’s safe states switch every source off', async () => {
  const { file } = await node()
  assert.equal(Object.keys(file.benches), ['rc-1', 'rc-2', 'diode-1', 'membrane-1', 'uno'])
  for (const bench of Object.values(file.benches)) {
    for (const part of Object.keys(bench.parts)) {
      if (part === 'psu' || part === 'fgen') assert.is(bench.safeState[`${part}.output`], false)
      if (part === 'cell') assert.is(bench.safeState['cell.current'], 0)
      if (part === 'block') {
        assert.equal(bench.safeState, { 'block.heater': 0, 'block.control': false })
      }
    }
  }
})

test.run()
