import type { Command } from 'commander'
import { mistake } from '../problem.ts'

/** Word → what does today what people look for under it. */
const pointers: Readonly<Record<string, string>> = {
  ps: '"fernlab benches" shows what runs on which bench, "fernlab runs --state running" the runs, "fernlab daemon ps" the daemons of the node on this machine.',
  logs: 'A node writes its log where it was started: "journalctl -u UNIT" where systemd did that. What its daemons write: "fernlab daemon logs".',
  up: '"fernlab daemon up" starts daemons of the node on this machine.',
  down: '"fernlab daemon down" stops daemons of the node on this machine.',
  info: '"fernlab daemon info NAME" says all of a daemon or a service of the node on this machine.',
  rename: '"fernlab daemon rename OLD NEW" renames a service of the node on this machine.',
  reload: '"fernlab daemon reload" reads node.yaml again for the daemons of the node on this machine.',
}

/** Words that are no verbs, and what to type instead; they are in no list. */
export function addPointers(program: Command): void {
  for (const [word, instead] of Object.entries(pointers)) {
    program
      .command(word, { hidden: true })
      .argument('[any...]')
      .allowUnknownOption()
      .action(() => {
        throw mistake('no-such-verb', `this version has no verb "${word}"`, instead)
      })
  }
}
