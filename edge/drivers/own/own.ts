/** The driver `own`: an instrument that a lab builder's own TypeScript drives, in a process of its own; see README.md. */
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import type { Driver } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { programInstrument } from '../process/program-instrument.ts'
import { settingsClaims } from '../transport-claims.ts'

const configSchema = z.strictObject({
  folder: z
    .string()
    .min(1)
    .max(4096)
    .describe('The folder that has driver.ts or driver.js; relative to node.yaml: ./drivers/my-oven.'),
  settings: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('The settings of the driver for this instrument; its own schema says which there are.'),
})

/** Compiling takes its time on a small machine. */
const DESCRIBE_MS = 20_000

/** The driver for node.yaml's `driver: own`. */
export function createOwnDriver(): Driver {
  return driverOf({
    kind: 'own',
    schema: configSchema,
    claims: ({ settings }) => settingsClaims(settings, ['settings']),
    failsAlone: () => true,
    create: ({ folder, settings }, context) =>
      programInstrument({
        driver: 'own',
        key: 'folder',
        command: [process.execPath, ...hostArguments(), folder, context.name],
        called: `the driver ${folder}`,
        settings,
        env: {},
        describeMs: DESCRIBE_MS,
        context,
      }),
  })
}

/** The program that holds the driver: beside this file, or beside the bundle that it is in; the source where that runs. */
function hostArguments(): string[] {
  const stacks = '--enable-source-maps'
  if (!import.meta.url.endsWith('.ts')) return [stacks, fileURLToPath(new URL('./driver-host.js', import.meta.url))]
  const host = fileURLToPath(new URL('./driver-host.ts', import.meta.url))
  return [stacks, '--import', import.meta.resolve('tsx'), '--conditions=source', host]
}
