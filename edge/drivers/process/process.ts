/** The driver `process`: an instrument that a program in any language drives; see README.md for what they say to each other. */

import { delimiter } from 'node:path'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { configWrong } from '../config-wrong.ts'
import { driverFolder } from '../described/models.ts'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { ProcessInstrument } from './process-instrument.ts'
import { type ProgramListeners, startProgram } from './program.ts'

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
  return driverOf({ kind: 'process', schema: configSchema, create })
}

async function create(config: ProcessConfig, context: DriverContext): Promise<Instrument> {
  const { name, clock } = context
  const { settings, command } = config
  const env = await environment(config)
  const start = (listeners: ProgramListeners) =>
    startProgram(
      { instrument: name, settings, command, env, folder: context.configFolder, clock, log: context.log },
      listeners,
    )
  return new ProcessInstrument({ spec: await describe(name, clock, start), settings, start, clock })
}

/** Runs the program once to ask what it is: a bench's limits and safe state are checked against that as the node starts. */
async function describe(
  name: string,
  clock: Clock,
  start: (listeners: ProgramListeners) => ReturnType<typeof startProgram>,
) {
  const program = start({ onEnd: () => {}, onConnection: () => {} })
  const late = () => notDescribed(`it did not describe itself within ${DESCRIBE_MS / 1000} s`)
  const notDescribed = (why: string) => configWrong(name, [{ path: 'command', message: why }])
  try {
    return await withDeadline(clock, DESCRIBE_MS, undefined, late, (signal) => program.describe(signal))
  } catch (thrown) {
    const { code, message } = asLabError(thrown)
    throw code === 'program-ended' || code === 'program-cannot' ? notDescribed(message) : thrown
  } finally {
    await program.stop()
  }
}

/** With the module `fernlab_driver` of this version where Python looks for modules. */
async function environment({ env }: ProcessConfig): Promise<Record<string, string>> {
  const path = [await driverFolder('process', 'python'), env.PYTHONPATH ?? process.env.PYTHONPATH ?? []]
    .flat()
    .join(delimiter)
  return { ...env, PYTHONPATH: path }
}
