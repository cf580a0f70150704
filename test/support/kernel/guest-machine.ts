/** A kind of machine, and how its guest test files are run: the same for all kinds. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NoArchive } from './debian-packages.ts'
import { guestFiles } from './guest-files.ts'
import { writeInitramfs } from './initramfs.ts'
import type { Kernel } from './kernel.ts'
import { startMachine } from './machine.ts'
import type { QemuProgram } from './qemu.ts'
import { openReport, type Report } from './report.ts'
import { runGuests } from './run-guests.ts'

export interface GuestMachine {
  qemu(): Promise<QemuProgram>
  kernel(): Promise<Kernel>
  /** The archive of all that seldom changes. */
  base(): Promise<string>
  /** Whether the port is the first serial line and the console the second one. */
  readonly portFirst?: boolean
  args(kernel: Kernel, initramfs: string): string[]
}

const machineLimitMs = 15 * 60_000
const makingLimitMs = 6 * 60_000

/** Boots the machine once and runs the guest test files of a folder in it. */
export async function runOnMachine(machine: GuestMachine, guestFolder: string): Promise<void> {
  const report = openReport()
  report.allow(machineLimitMs + makingLimitMs)
  const folder = mkdtempSync(join(tmpdir(), 'fl-kernel-'))
  try {
    await boot(machine, guestFolder, folder, report)
  } catch (error) {
    if (error instanceof NoArchive) report.cannotRun("needs Debian's archive", error.message)
    else report.fail(guestFolder, '(machine)', error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function boot(machine: GuestMachine, guestFolder: string, folder: string, report: Report): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync('/usr/bin/apt-get')) {
    report.cannotRun('needs Linux on amd64 with apt-get', `this is ${process.platform} on ${process.arch}`)
    return
  }
  const guests = await guestFiles(guestFolder)
  const kernel = await machine.kernel()
  const initramfs = await writeInitramfs(await machine.base(), kernel, guests, folder)
  const args = machine.args(kernel, initramfs)
  const { portFirst = false } = machine
  const running = await startMachine({ qemu: await machine.qemu(), folder, limitMs: machineLimitMs, args, portFirst })
  try {
    await runGuests(running, guests, report)
  } finally {
    await running.end()
  }
}
