/** The process in which a benchmark has a machine: boots it, and has measured in it what the benchmark asks for. */
import { servePart } from '../../../scripts/bench/framework/part.ts'
import { pc } from './amd64.ts'
import { runOnMachine } from './guest-machine.ts'
import { measurements } from './measurements.ts'

const ended = runOnMachine(pc, 'test/kernel/measure')
void ended.then(() => measurements.over())
servePart({
  measure: (what: string) => measurements.take(what),
  end: async () => {
    measurements.finish()
    await ended
  },
})
