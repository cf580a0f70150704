/** The driver `process`: an instrument that a program in any language drives; see README.md for what they say to each other. */

import { delimiter } from 'node:path'
import * as z from 'zod'
import { driverFolder } from '../described/models.ts'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { settingsClaims } from '../transport-claims.ts'
import { programInstrument } from './program-instrument.ts'

const configSchema = z.strictObject({
  command: z
    .tuple([z.string().min(1).max(4096)], z.string().max(4096))
    .describe('The program and its arguments, as a list; paths are relative to node.yaml: [python3, ./oven.py].'),
  settings: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('What the program is told when it describes itself and when it opens its hardware.'),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable'), z.string())
    .default({})
    .describe("Environment variables for the program; of the node's own it gets PATH, HOME, USER and the language."),
})
type ProcessConfig = z.infer<typeof configSchema>

const DESCRIBE_MS = 10_000

/** The driver for node.yaml's `driver: process`. */
export function createProcessDriver(): Driver {
  return driverOf({
    kind: 'process',
    schema: configSchema,
    claims: ({ settings }) => settingsClaims(settings, ['settings']),
    failsAlone: () => true,
    create,
  })
}

async function create(config: ProcessConfig, context: DriverContext): Promise<Instrument> {
  const { command, settings } = config
  const env = await environment(config)
  return await programInstrument({
    driver: 'process',
    key: 'command',
    command,
    settings,
    env,
    describeMs: DESCRIBE_MS,
    context,
  })
}

/** With the module `fernlab_driver` of this version where Python looks for modules. */
async function environment({ env }: ProcessConfig): Promise<Record<string, string>> {
  const path = [await driverFolder('process', 'python'), env.PYTHONPATH ?? process.env.PYTHONPATH ?? []]
    .flat()
    .join(delimiter)
  return { ...env, PYTHONPATH: path }
}
