import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../gpio-errors.ts'

/** Who holds the line of that number; undefined where this user may not know. */
export async function consumerOf(root: string, number: number): Promise<string | undefined> {
  try {
    return consumerIn(await readFile(join(root, 'kernel/debug/gpio'), 'utf8'), number)
  } catch (cause) {
    // For root alone, and not mounted everywhere.
    if (systemCode(cause) === undefined) throw cause
    return undefined
  }
}

/** The consumer in the kernel's listing, as ` gpio-517 (GPIO5 |my-hog ) out hi` names it after the bar. */
export function consumerIn(listing: string, number: number): string | undefined {
  const line = new RegExp(`^ *gpio-${number} +\\(([^|)]*)\\|([^)]*)\\)`, 'm').exec(listing)
  const consumer = line?.[2]?.trim() ?? ''
  return consumer === '' ? undefined : consumer
}
