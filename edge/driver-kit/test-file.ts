/** `driver-test.yaml`: what `fernlab driver test` tries of a driver. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { identifierSchema } from '@fernlab/shared/capabilities/signals'
import { type Finding, readFileAs } from '@fernlab/shared/contracts/yaml-file'
import { NAME_PATTERN } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import * as z from 'zod'
import type { Driver } from '../drivers/driver.ts'

export const TEST_FILE = 'driver-test.yaml'

const value = z.union([z.number(), z.string(), z.boolean()])
const one = (record: object) => Object.keys(record).length === 1

/** One way to have the instrument: emulated, or a real one. */
const entrySchema = z.strictObject({
  driver: z.string().min(1),
  config: z.record(z.string(), z.unknown()).default({}),
  readable: z.array(identifierSchema).min(1),
  settable: z
    .record(identifierSchema, z.tuple([value, value]))
    .refine(one, 'must name one signal, with two values that it can take')
    .exactOptional(),
  action: identifierSchema.exactOptional(),
})
export type TestEntry = z.infer<typeof entrySchema>

const fileSchema = z
  .record(z.string().regex(NAME_PATTERN, 'must be lower-case letters, digits, - and _'), entrySchema)
  .refine((entries) => Object.keys(entries).length > 0, 'must have an entry, such as emulated')

/** What the folder's file has by name; rejects with issues that have their lines. */
export async function readTestFile(folder: string, drivers: readonly Driver[]): Promise<Record<string, TestEntry>> {
  const file = join(folder, TEST_FILE)
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'is not there' : `can not be read (${cause.code})`
    throw new LabError({
      code: 'driver-folder',
      kind: 'caller',
      message: `${file} ${what}: name the folder of one driver, as "fernlab driver new" makes it`,
      cause,
    })
  })
  const { value: entries, yaml, issues } = readFileAs(text, fileSchema, { file })
  if (entries === undefined) throw wrong(file, issues)
  const findings = Object.entries(entries).flatMap(([name, { driver, config }]): Finding[] => {
    const known = drivers.map(({ kind }) => kind)
    const found = drivers.find(({ kind }) => kind === driver)
    if (found === undefined) {
      const message = `unknown driver ${driver}${didYouMean(driver, known)}; known are ${known.join(', ')}`
      return [{ path: [name, 'driver'], message }]
    }
    return found.check(config).map(({ path, message }) => ({ path: [name, 'config', ...keysOf(path)], message }))
  })
  if (findings.length > 0 && yaml !== undefined) throw wrong(file, findings.map(yaml.place))
  return entries
}

const keysOf = (path: string): string[] => [...path.matchAll(/[^.[\]]+/g)].map(([key]) => key)

function wrong(file: string, issues: LabError['issues']): LabError {
  const count = issues.length === 1 ? '1 thing' : `${issues.length} things`
  return new LabError({ code: 'driver-test-wrong', kind: 'configuration', message: `${file}: ${count} to fix`, issues })
}
