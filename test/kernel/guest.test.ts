/** The guest test files of `guest/` on a PC with Debian's amd64 kernel. */
import { pc } from '../support/kernel/amd64.ts'
import { runOnMachine } from '../support/kernel/guest-machine.ts'

await runOnMachine(pc, 'test/kernel/guest')
