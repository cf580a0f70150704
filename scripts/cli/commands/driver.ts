import { systemClock } from '@fernlab/shared/primitives/clock'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'

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
      const { makeDriver } = await import('@fernlab/edge/driver-kit/driver-commands')
      await makeDriver({ folder, language, json: json === true, out: terminal.out, err: terminal.err })
    })

  driver
    .command('test <dir>')
    .description("try whether a driver does all that a node asks of one, by the folder's driver-test.yaml")
    .option('--on <entry>', 'which entry of driver-test.yaml; those of real instruments move things')
    .option('--json', 'JSON instead of text')
    .action(async (folder: string, { on, json }: TestOptions) => {
      const { tryDriver } = await import('@fernlab/edge/driver-kit/driver-commands')
      await tryDriver({ folder, on, json: json === true, clock: systemClock, signal, out: terminal.out })
    })
}
