/** The drive as which a Pico shows itself in its boot loader: what is copied there is its firmware. */
import { open, readFile, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** It says there what it is. */
const INFO = 'INFO_UF2.TXT'
const POLL_MS = 200
/** From the reset until the drive is mounted, where something mounts it. */
const APPEARS_MS = 15_000
/** From the last block until the drive is gone. */
const LEAVES_MS = 15_000
const CHUNK_BYTES = 4 * 1024
/** A drive that is gone answers with these. */
const GONE = new Set(['EIO', 'ENODEV', 'ENXIO', 'ENOENT', 'EROFS', 'ENOTCONN', 'EBADF'])
/** A drive that others alone may read, as the EFI partition of a PC, answers with these. */
const CLOSED = new Set(['EACCES', 'EPERM'])
const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS'])

/** What the drive in the folder says of its board, as `RPI-RP2` or `RP2350`; undefined where there is none. */
export async function boardAt(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, INFO), 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (GONE.has(error.code ?? '') || error.code === 'ENOTDIR') return undefined
    throw error
  })
  return text === undefined ? undefined : (/^Board-ID:\s*(\S+)/m.exec(text)?.[1] ?? '')
}

export interface MountedDrive {
  readonly folder: string
  /** /dev/sda1 */
  readonly device: string
}

/** The drives with that id that are mounted. */
export async function mountedDrives(boardId: string, mounts: string): Promise<MountedDrive[]> {
  const found: MountedDrive[] = []
  for (const drive of await vfatMounts(mounts)) {
    const board = await boardAt(drive.folder).catch((error: NodeJS.ErrnoException) => {
      if (!CLOSED.has(error.code ?? '')) throw error
    })
    if (board === boardId) found.push(drive)
  }
  return found
}

async function vfatMounts(mounts: string): Promise<MountedDrive[]> {
  const lines = (await readFile(mounts, 'utf8')).split('\n').map((line) => line.split(' '))
  return lines
    .filter(([, , kind]) => kind === 'vfat')
    .map(([device = '', folder = '']) => ({ device: pathIn(device), folder: pathIn(folder) }))
}

/** Blanks and the like stand as octal numbers there. */
const pathIn = (text: string) =>
  text.replaceAll(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))

/** Waits until such a drive is mounted that is meant; undefined when none comes. */
export async function appearingDrive(
  boardId: string,
  isMeant: (drive: MountedDrive) => Promise<boolean>,
  clock: Clock,
  signal: AbortSignal,
  mounts: string,
): Promise<string | undefined> {
  const untilMs = clock.monotonic() + APPEARS_MS
  do {
    for (const drive of await mountedDrives(boardId, mounts)) if (await isMeant(drive)) return drive.folder
    await clock.sleep(POLL_MS, signal)
  } while (clock.monotonic() < untilMs)
  return undefined
}

export interface CopyOptions {
  /** Of the drive. */
  readonly label: string
  readonly clock: Clock
  readonly signal: AbortSignal
  onBytes(done: number): void
}

/**
 * Copies the file and waits until the drive is gone: the boot loader starts the firmware once it has every block, and only
 * then. `stays`: it did not leave; `lost`: it left before it had all. Rejects with `drive-not-writable`, and has written
 * nothing then.
 */
export async function copyToDrive(
  folder: string,
  file: Uint8Array,
  { label, clock, signal, onBytes }: CopyOptions,
): Promise<'taken' | 'stays' | 'lost'> {
  const target = await open(join(folder, 'firmware.uf2'), 'w').catch((error: NodeJS.ErrnoException) => {
    throw NOT_WRITABLE.has(error.code ?? '') ? notWritable(folder, label, error) : error
  })
  try {
    for (let at = 0; at < file.length; at += CHUNK_BYTES) {
      signal.throwIfAborted()
      const end = Math.min(at + CHUNK_BYTES, file.length)
      const isWritten = await unlessGone(async () => {
        await target.writeFile(file.subarray(at, end))
        await target.sync()
      })
      // With its last block the drive may leave before that is told to be written.
      if (end < file.length && !(isWritten && (await isThere(folder)))) return 'lost'
      onBytes(end)
    }
  } finally {
    await unlessGone(() => target.close())
  }
  const untilMs = clock.monotonic() + LEAVES_MS
  while (await isThere(folder)) {
    if (clock.monotonic() > untilMs) return 'stays'
    await clock.sleep(POLL_MS, signal)
  }
  return 'taken'
}

const isThere = (folder: string): Promise<boolean> =>
  unlessGone(async () => {
    await stat(join(folder, INFO))
  })

/** False when the drive was gone. */
async function unlessGone(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (thrown) {
    if (GONE.has((thrown as NodeJS.ErrnoException).code ?? '')) return false
    throw thrown
  }
}

function notWritable(folder: string, label: string, cause: NodeJS.ErrnoException): LabError {
  const { username } = userInfo()
  const reason =
    cause.code === 'EROFS'
      ? `it is mounted read-only; type: sudo mount -o remount,rw ${folder}`
      : `${username} may not write there, for a drive of this kind (vfat) belongs to whoever mounted it; mount it for ${username}: sudo umount ${folder}, then sudo mount -o uid=${username} /dev/disk/by-label/${label} ${folder}`
  return new LabError({
    code: 'drive-not-writable',
    kind: 'configuration',
    message: `nothing can be written to ${folder}: ${reason}`,
    details: { path: folder },
    cause,
  })
}
