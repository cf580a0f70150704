/** The guest test files of `raspberry-pi/` on a Raspberry Pi 3 with Debian's arm64 kernel. */
import { runOnMachine } from '../support/kernel/guest-machine.ts'
import { raspberryPi } from '../support/kernel/raspberry-pi.ts'

await runOnMachine(raspberryPi, 'test/kernel/raspberry-pi')
