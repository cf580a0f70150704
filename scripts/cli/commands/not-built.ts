import type { Command } from 'commander'
import { mistake } from '../problem.ts'

const verbs: Readonly<Record<string, string>> = {
  ps: 'lists what runs on nodes',
  call: 'calls an action of an instrument',
  lock: 'holds a bench for a program',
  logs: 'shows the log of a node',
}

/** The verbs that are promised and not there yet: each refuses with one line. */
export function addNotBuilt(program: Command): void {
  const refuse = (verb: string) => () => {
    throw mistake('not-built', `"${verb}" is promised, but this version does not have it`)
  }
  for (const [verb, description] of Object.entries(verbs)) {
    program
      .command(verb)
      .description(`${description} (not in this version)`)
      .argument('[any...]')
      .allowUnknownOption()
      .action(refuse(verb))
  }
  program
    .command('driver')
    .description('makes a driver from a template (not in this version)')
    .argument('[any...]')
    .allowUnknownOption()
    .action(refuse('driver'))
}
