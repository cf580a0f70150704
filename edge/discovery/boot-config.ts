/** A Raspberry Pi's config.txt: which interfaces its firmware switches on at the next start. */
import type { Root } from './root.ts'

export interface BootConfig {
  readonly path: string
  /** `key=value` lines that hold for every Pi, in order, without spaces and comments. */
  readonly settings: readonly string[]
}

const places = ['/boot/firmware/config.txt', '/boot/config.txt']

/** Reads it; undefined on a machine that has none. */
export async function readBootConfig(root: Root): Promise<BootConfig | undefined> {
  for (const path of places) {
    const text = await root.text(path)
    // Debian puts a note about the move where the file used to be.
    if (text !== undefined && !text.includes('has moved to /boot/firmware')) return { path, settings: settingsOf(text) }
  }
  return undefined
}

/** What holds below `[all]` and before the first heading; settings of other headings are for one model only. */
export function settingsOf(text: string): string[] {
  let forAll = true
  const found: string[] = []
  for (const line of text.split('\n')) {
    const bare = line.replace(/#.*/, '').replaceAll(' ', '').trim()
    const heading = /^\[(.+)\]$/.exec(bare)?.[1]
    if (heading !== undefined) forAll = heading === 'all'
    else if (forAll && bare !== '') found.push(bare)
  }
  return found
}

/** Whether one of the settings, or an overlay with parameters, is there. */
export const isSet = (config: BootConfig, wanted: string): boolean =>
  config.settings.some((setting) => setting === wanted || setting.startsWith(`${wanted},`))

/** Lines that switch something on from the next start. */
export const linesFor = (config: BootConfig, setting: string): string[] => [
  `echo '${setting}' | sudo tee -a ${config.path}`,
  'sudo reboot',
]
