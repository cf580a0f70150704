/** The guest test files of `guest/` in Debian's amd64 kernel. */
import { runOnAmd64 } from '../support/kernel/amd64.ts'

await runOnAmd64('test/kernel/guest')
