/**
 * The chip of that label in sysfs, and its base. Lines are numbered there from a base that each kernel chooses anew: the
 * header of a Pi 4 began at 0 up to kernel 6.5, at 458 in Debian's 6.1 for arm64, at 512 from 6.6 on; on a Pi 5, 512 is
 * another chip, which has the power button. So a base is read, never assumed.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gpioError, notPermitted, systemCode } from '../gpio-errors.ts'

export interface FoundChip {
  readonly label: string
  readonly base: number
  readonly lineCount: number
}

/** The chips in `root`/class/gpio; rejects with `gpio-sysfs-missing` where the kernel has no such thing. */
export async function listChips(root: string): Promise<FoundChip[]> {
  const folder = join(root, 'class/gpio')
  let entries: string[]
  try {
    entries = await readdir(folder)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === 'EACCES' || code === 'EPERM') throw notPermitted(folder, cause)
    throw gpioError(
      'gpio-sysfs-missing',
      `this kernel has no ${folder} (it is built without CONFIG_GPIO_SYSFS): use backend: gpiod`,
      cause,
    )
  }
  const names = entries.filter((name) => name.startsWith('gpiochip'))
  return await Promise.all(names.map((name) => readChip(join(folder, name))))
}

async function readChip(folder: string): Promise<FoundChip> {
  const [label = '', base, lineCount] = await Promise.all(
    ['label', 'base', 'ngpio'].map(async (file) => (await readFile(join(folder, file), 'utf8')).trim()),
  )
  return { label, base: Number(base), lineCount: Number(lineCount) }
}

/** The one of them that has one of the labels; throws `gpio-chip-missing` or `gpio-chip-ambiguous`. */
export function chooseChip<T extends { readonly label: string; readonly lineCount: number }>(
  chips: readonly T[],
  labels: readonly string[],
): T {
  const fitting = chips.filter(({ label }) => labels.includes(label))
  const [chip] = fitting
  if (chip !== undefined && fitting.length === 1) return chip
  if (chip !== undefined) {
    throw gpioError('gpio-chip-ambiguous', `there are ${fitting.length} chips with the label ${chip.label}`)
  }
  const there = chips.map(({ label, lineCount }) => `${label} (${lineCount} lines)`).join(', ')
  throw gpioError(
    'gpio-chip-missing',
    `there is no GPIO chip ${labels.join(' or ')} on this machine; ${there === '' ? 'it has none' : `it has ${there}`}`,
  )
}
