/** What a board is, as a file: one that node.yaml names, or the one that the node writes once it has seen the board. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type BoardDescription, boardDescriptionSchema } from '@fernlab/firmware-bridge/link/description'
import { checkSchema, pathText } from '@fernlab/shared/contracts/yaml-file'
import { asLabError, type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { configWrong } from '../config-wrong.ts'
import type { DriverContext } from '../driver.ts'

export interface KnownBoard {
  readonly description: BoardDescription
  /** For people: where that is known from. */
  readonly from: string
}

type Place = Pick<DriverContext, 'name' | 'configFolder' | 'keptFolder'>

/** The file that node.yaml names; throws a configuration-kind LabError when it is not there or wrong. */
export async function pinnedDescription(file: string, { name, configFolder }: Place): Promise<KnownBoard> {
  const wrong = (issues: readonly Issue[]) => configWrong(name, issues)
  let text: string
  try {
    text = await readFile(resolve(configFolder, file), 'utf8')
  } catch (cause) {
    throw wrong([{ path: 'description', message: `${file} cannot be read: ${(cause as Error).message}` }])
  }
  const { description, issues } = parse(text)
  if (description === undefined)
    throw wrong(issues.map((issue) => ({ ...issue, path: `description ${file}: ${issue.path}` })))
  return { description, from: file }
}

/** What the node has written when it saw the board; undefined when it never did. */
export async function keptDescription(context: DriverContext): Promise<KnownBoard | undefined> {
  const { name, log, configFolder } = context
  // The second is where it was kept by earlier versions.
  for (const file of new Set([keptFile(context), fileIn(configFolder, name)])) {
    const text = await readFile(file, 'utf8').catch(() => undefined) // never seen, which the caller says
    if (text === undefined) continue
    const { description, issues } = parse(text)
    if (description !== undefined) return { description, from: `boards/${name}.json` }
    log.warn({ instrument: name, file, issue: issues[0]?.message ?? '' }, 'a kept description is broken')
  }
  return undefined
}

/** Writes what the board is to boards/<instrument>.json of the node's data; where that cannot be written a warning is logged. */
export async function keepDescription(description: BoardDescription, context: DriverContext): Promise<void> {
  const file = keptFile(context)
  const text = `${JSON.stringify(description, undefined, 2)}\n`
  try {
    if ((await readFile(file, 'utf8').catch(() => '')) === text) return
    await mkdir(dirname(file), { recursive: true })
    await writeFile(`${file}.new`, text, { flush: true })
    await rename(`${file}.new`, file)
  } catch (thrown) {
    context.log.warn(
      { instrument: context.name, file, reason: asLabError(thrown).message },
      'what a board is could not be kept: without it the board is out of use if it is away as the node starts',
    )
  }
}

const keptFile = ({ name, configFolder, keptFolder = configFolder }: Place) => fileIn(keptFolder, name)
const fileIn = (folder: string, name: string) => join(folder, 'boards', `${name}.json`)

function parse(text: string): { readonly description?: BoardDescription; readonly issues: readonly Issue[] } {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch (thrown) {
    return { issues: [{ path: '', message: `is not JSON: ${(thrown as Error).message}` }] }
  }
  const { value, findings } = checkSchema(said, boardDescriptionSchema)
  if (value !== undefined) return { description: value, issues: [] }
  return { issues: findings.map(({ path, message }) => ({ path: pathText(path), message })) }
}

/** Whether the board can do just what was known of it; its version and hash may be others. */
export function requireSame(name: string, known: KnownBoard, found: BoardDescription): void {
  const ability = ({ signals, actions }: BoardDescription) => JSON.stringify({ signals, actions })
  if (ability(known.description) === ability(found)) return
  const { firmware } = found
  throw new LabError({
    code: 'description-changed',
    kind: 'configuration',
    message: `${name}: the board (${firmware.name} ${firmware.version}) has other signals or actions than ${known.from} said when the node started: ${difference(known.description, found)}. Start the node again to take it as it is, or flash what belongs there`,
  })
}

/** The first thing that differs. */
function difference(known: BoardDescription, found: BoardDescription): string {
  const said = (each: BoardDescription) =>
    new Map([...each.signals, ...each.actions].map((one) => [one.name, JSON.stringify(one)]))
  const [before, now] = [said(known), said(found)]
  for (const name of before.keys()) if (!now.has(name)) return `${name} is missing`
  for (const name of now.keys()) if (!before.has(name)) return `${name} is new`
  for (const [name, one] of now) if (before.get(name) !== one) return `${name} has changed`
  return 'the order has changed'
}
