import type { Added } from './add-instrument.ts'

/** What a person reads of an instrument that was made, and what is left to do. */
export function addedLines({ file, name, instrument }: Added, isDry: boolean): string[] {
  const entry = `${name}: ${JSON.stringify(instrument)}`
  if (isDry) return [`would put into ${file}, below instruments:`, `  ${entry}`]
  return [
    `${file} has, below instruments:`,
    `  ${entry}`,
    'Name it in a bench of the file. The node takes it at its next start: sudo systemctl restart fernlab-edge',
  ]
}
