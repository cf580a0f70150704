/** A QEMU that is new enough: the machine's own, or Debian 12's backport, unpacked and run from where it lies. */
import { join } from 'node:path'
import { unpackedPackages } from './debian-packages.ts'
import { runCommand } from './run-command.ts'

export interface QemuProgram {
  readonly command: string
  /** What it is told before all else. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/**
 * `qemu-system-aarch64` of version 10 or later, whose Raspberry Pi has I2C. The libraries are those of the machine's own
 * QEMU, which has to be installed.
 */
export async function newQemuArm(): Promise<QemuProgram> {
  const command = 'qemu-system-aarch64'
  const said = await runCommand(command, ['--version'])
  if (Number(said.match(/version (\d+)\./)?.[1]) >= 10) return { command, args: [] }
  const names = ['qemu-system-arm', 'qemu-system-data']
  const packages = await unpackedPackages('qemu-arm', { architecture: 'amd64', names, backports: true })
  return {
    command: join(packages, 'usr/bin', command),
    args: ['-L', join(packages, 'usr/share/qemu')],
    // Else it would look at the older one's.
    env: { QEMU_MODULE_DIR: join(packages, 'usr/lib/x86_64-linux-gnu/qemu') },
  }
}
