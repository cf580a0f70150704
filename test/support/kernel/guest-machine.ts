/** A kind of machine, and how its guest test files are run: the same for all kinds. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NoArchive } from './debian-packages.ts'
import type { NoFfmpeg } from './ffmpeg.ts'
import { type GuestFile, guestFiles } from './guest-files.ts'
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
  /** What QEMU is told besides where a test needs ffmpeg, or why that can not be. */
  ffmpeg?(qemu: QemuProgram): Promise<readonly string[] | NoFfmpeg>
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
  const qemu = await machine.qemu()
  const { guests, shared } = await withFfmpeg(machine, qemu, await guestFiles(guestFolder), report)
  if (guests.length === 0) return
  const kernel = await machine.kernel()
  const initramfs = await writeInitramfs(await machine.base(), kernel, guests, folder)
  const args = [...machine.args(kernel, initramfs), ...shared]
  const { portFirst = false } = machine
  const running = await startMachine({ qemu, folder, limitMs: machineLimitMs, args, portFirst })
  try {
    await runGuests(running, guests, report)
  } finally {
    await running.end()
  }
}

/** What QEMU is told so that these files have ffmpeg; those that need it are left out where it can not be had. */
async function withFfmpeg(
  machine: GuestMachine,
  qemu: QemuProgram,
  guests: readonly GuestFile[],
  report: Report,
): Promise<{ readonly guests: readonly GuestFile[]; readonly shared: readonly string[] }> {
  const wanting = guests.filter(({ need }) => need.ffmpeg === true)
  if (wanting.length === 0) return { guests, shared: [] }
  if (machine.ffmpeg === undefined) throw new Error(`${wanting[0]?.file} needs ffmpeg, which this machine can not have`)
  const shared = await machine.ffmpeg(qemu)
  if (!('reason' in shared)) return { guests, shared }
  for (const { name } of wanting) report.cannotRun(shared.reason, shared.why, `${name}: all of it`)
  return { guests: guests.filter((guest) => !wanting.includes(guest)), shared: [] }
}
