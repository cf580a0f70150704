import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { writeNewFolder } from '../lab-files.ts'

interface NewOptions {
  readonly language: 'typescript' | 'python' | 'c'
  readonly json?: boolean
}

interface TestOptions {
  readonly on?: string
  readonly json?: boolean
}

/** `driver new`, `driver test`: a driver of one's own; neither asks a hub. */
export function addDriver(program: Command, { terminal, signal }: Context): void {
  const driver = program.command('driver').description('make a driver for an instrument of your own, and test it')

  driver
    .command('new <dir>')
    .description('make the folder of a new driver, named as the driver: a whole one to change, which test passes')
    .addOption(
      new Option('--language <language>', 'what it is written in')
        .choices(['typescript', 'python', 'c'])
        .default('typescript'),
    )
    .option('--json', 'JSON instead of text')
    .action(async (folder: string, { language, json }: NewOptions) => {
      const { newDriver } = await import('@fernlab/edge/driver-kit/new-driver')
      const { name, files, next } = await newDriver(folder, language)
      await writeNewFolder(folder, files)
      const paths = Object.keys(files)
      if (json) return terminal.out(JSON.stringify({ folder, driver: name, language, files: paths }, null, 2))
      for (const path of paths) terminal.out(`${folder}/${path}`)
      terminal.err(`Change these, then: ${next}`)
    })

  driver
    .command('test <dir>')
    .description("try whether a driver does all that a node asks of one, by the folder's driver-test.yaml")
    .option('--on <entry>', 'which entry of driver-test.yaml; those of real instruments move things')
    .option('--json', 'JSON instead of text')
    .action(async (folder: string, { on, json }: TestOptions) => {
      const { testDriver } = await import('@fernlab/edge/driver-kit/test-driver')
      const { outcomeLines, specLines, sumLines } = await import('@fernlab/edge/driver-kit/tested-lines')
      const tell = (lines: readonly string[]) => {
        if (!json) for (const line of lines) terminal.out(line)
      }
      const tested = await testDriver({
        folder,
        ...(on === undefined ? {} : { on }),
        clock: systemClock,
        signal,
        onSpec: (spec, name) => tell(specLines(folder, name, spec)),
        onOutcome: (outcome) => tell(outcomeLines(outcome)),
      })
      if (json) terminal.out(JSON.stringify(tested, null, 2))
      tell(sumLines(tested))
      const failed = tested.outcomes.filter(({ outcome }) => outcome === 'failed').length
      if (failed === 0) return
      const message = `${folder} breaks ${failed} of ${tested.outcomes.length} rules of a driver`
      throw new LabError({ code: 'driver-test-failed', kind: 'caller', message })
    })
}
