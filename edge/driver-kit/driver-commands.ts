/** What `fernlab driver new` and `fernlab driver test` do, the same in a clone of Fernlab and on a node alone. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import { type DriverLanguage, newDriver } from './new-driver.ts'
import { testDriver } from './test-driver.ts'
import { outcomeLines, specLines, sumLines } from './tested-lines.ts'

export interface MakeDriver {
  readonly folder: string
  readonly language: DriverLanguage
  /** JSON instead of text. */
  readonly json: boolean
  out(line: string): void
  /** For what is no result. */
  err(line: string): void
}

/** Writes the folder of a new driver; throws `bad-argument` for a folder that is no name, `folder-there` for one that is. */
export async function makeDriver({ folder, language, json, out, err }: MakeDriver): Promise<void> {
  const { name, files, next } = await newDriver(folder, language)
  await writeNewFolder(folder, files)
  const paths = Object.keys(files)
  if (json) return out(JSON.stringify({ folder, driver: name, language, files: paths }, null, 2))
  for (const path of paths) out(`${folder}/${path}`)
  err(`Change these, then: ${next}`)
}

export interface TryDriver {
  readonly folder: string
  /** Which entry of driver-test.yaml. */
  readonly on?: string | undefined
  readonly json: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
  out(line: string): void
}

/** Runs the contract on a driver and tells how it went, as it goes; throws `driver-test-failed` where it breaks a rule. */
export async function tryDriver({ folder, on, json, clock, signal, out }: TryDriver): Promise<void> {
  const tell = (lines: readonly string[]) => {
    if (!json) for (const line of lines) out(line)
  }
  const tested = await testDriver({
    folder,
    ...(on === undefined ? {} : { on }),
    clock,
    signal,
    onSpec: (spec, name) => tell(specLines(folder, name, spec)),
    onOutcome: (outcome) => tell(outcomeLines(outcome)),
  })
  if (json) out(JSON.stringify(tested, null, 2))
  tell(sumLines(tested))
  const failed = tested.outcomes.filter(({ outcome }) => outcome === 'failed').length
  if (failed === 0) return
  const message = `${folder} breaks ${failed} of ${tested.outcomes.length} rules of a driver`
  throw new LabError({ code: 'driver-test-failed', kind: 'caller', message })
}
