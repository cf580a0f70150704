import { type LabFile, parseLabFile } from '../contracts/lab-file.ts'
import { pageFolder } from '../contracts/lab-page.ts'
import { isName } from '../primitives/ids.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { outlineParts } from './bench-view.ts'
import { protocolFindings } from './check-protocol.ts'
import { pageFindings } from './page-files.ts'
import { readProtocolFile } from './parse.ts'
import type { Protocol } from './protocol.ts'
import { sessionProtocol } from './session-protocol.ts'

/** A lab as pushed: everything that its folder holds, checked. */
export interface LabBundle {
  readonly id: string
  readonly lab: LabFile
  /** README texts (Markdown) by language; README.md is `en`. */
  readonly readme: Readonly<Record<string, string>>
  /** By name: the file name without `.yaml`. */
  readonly protocols: Readonly<Record<string, Protocol>>
  /** What a live session does; without, the lab offers none. */
  readonly session?: Protocol
  /** Pictures, and the files of the lab's own page, by path in the folder. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

type Files = Readonly<Record<string, string | Uint8Array>>

const MAX_PICTURE_BYTES = 1024 * 1024
const MAX_README_BYTES = 256 * 1024
const MAX_FILES = 200
const MAX_FINDINGS = 50
const PICTURE = /\.(svg|png|jpe?g|webp)$/i
const README = /^README(?:\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*))?\.md$/
const PROTOCOL = /^protocols\/([^/]+)\.ya?ml$/

/**
 * Checks a lab folder given as its files by relative path with `/`: every file by itself, and the protocols against
 * the lab's parts and limits. With issues there is no lab. `folder` is the folder's name, the lab's id unless lab.yaml
 * says another. Files that are no part of a lab are left out.
 */
export function checkLabFolder(files: Files, options: { folder?: string } = {}): { lab?: LabBundle; issues: Issue[] } {
  const issues: Issue[] = []
  const fail = (file: string, message: string) => issues.push({ path: '', message, file, line: 1, column: 1 })
  const paths = Object.keys(files).sort()
  if (paths.length > MAX_FILES)
    issues.push({ path: '', message: `the lab's folder holds more than ${MAX_FILES} files` })
  for (const path of paths) if (!isPlain(path)) fail(path.slice(0, 200), 'is not a plain path within the folder')
  if (issues.length > 0) return { issues }

  const source = files['lab.yaml']
  if (source === undefined) {
    fail('lab.yaml', 'is missing')
    return { issues }
  }
  const read = parseLabFile(textOf(source), { file: 'lab.yaml' })
  const { lab } = read
  issues.push(...read.issues)
  const id = lab?.id ?? options.folder
  if (lab !== undefined && (id === undefined || !isName(id))) {
    fail('lab.yaml', `${id ?? 'the folder'} cannot be the lab's id: say id, in lower-case letters, digits, - and _`)
  }

  const session = lab === undefined ? undefined : sessionProtocol(lab)
  if (read.lab !== undefined && session !== undefined) {
    issues.push(...session.findings.slice(0, MAX_FINDINGS).map(read.place))
  }

  const readme: Record<string, string> = {}
  const protocols: Record<string, Protocol> = {}
  const pictures: Record<string, Uint8Array> = {}
  const ofPage = new Map<string, Uint8Array>()
  const page = lab?.page === undefined ? undefined : pageFolder(lab.page)
  for (const path of paths) {
    const content = files[path] as string | Uint8Array
    const protocolName = PROTOCOL.exec(path)?.[1]
    const readmeName = README.exec(path)
    if (protocolName !== undefined) {
      const protocol = readLabProtocol(protocolName, path, textOf(content), lab, issues)
      if (protocol !== undefined) protocols[protocolName] = protocol
    } else if (readmeName !== null) {
      if (bytesOf(content).length > MAX_README_BYTES) fail(path, 'is larger than 256 kB')
      else readme[readmeName[1] ?? 'en'] = textOf(content)
    } else if (page !== undefined && path.startsWith(page)) {
      ofPage.set(path, bytesOf(content))
    } else if (PICTURE.test(path)) {
      const problem = pictureProblem(path, bytesOf(content))
      if (problem === undefined) pictures[path] = bytesOf(content)
      else fail(path, problem)
    }
  }
  if (lab?.session === undefined && !paths.some((path) => PROTOCOL.test(path))) {
    fail('protocols', 'the lab has no protocol: add protocols/NAME.yaml, or session: {} to lab.yaml for live sessions')
  }
  if (lab?.picture !== undefined && !Object.hasOwn(pictures, lab.picture)) {
    fail('lab.yaml', `picture ${lab.picture} is not a picture in the folder (svg, png, jpg or webp)`)
  }
  if (lab?.page !== undefined) for (const { file, message } of pageFindings(lab.page, ofPage)) fail(file, message)
  if (lab === undefined || id === undefined || issues.length > 0) return { issues }
  return {
    lab: {
      id,
      lab,
      readme,
      protocols,
      ...(session?.protocol === undefined ? {} : { session: session.protocol }),
      files: { ...pictures, ...Object.fromEntries(ofPage) },
    },
    issues: [],
  }
}

function readLabProtocol(
  name: string,
  file: string,
  text: string,
  lab: LabFile | undefined,
  issues: Issue[],
): Protocol | undefined {
  if (!isName(name)) {
    issues.push({
      path: '',
      message: 'the name of a protocol is lower-case letters, digits, - and _',
      file,
      line: 1,
      column: 1,
    })
    return undefined
  }
  const read = readProtocolFile(text, { file })
  issues.push(...read.issues)
  if (read.protocol === undefined) return undefined
  if (lab === undefined) return read.protocol
  const findings = protocolFindings(read.protocol, {
    parts: outlineParts({ ...lab.parts, ...read.protocol.parts }),
    ...(lab.limits === undefined ? {} : { limits: lab.limits }),
    outline: true,
  })
  issues.push(...findings.slice(0, MAX_FINDINGS).map(read.place))
  return read.protocol
}

function isPlain(path: string): boolean {
  const parts = path.split('/')
  return (
    path.length <= 200 &&
    !/[\\\p{Cc}]/u.test(path) &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..')
  )
}

function pictureProblem(path: string, bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_PICTURE_BYTES) return 'is larger than 1 MB'
  if (!/\.svg$/i.test(path)) return magic(path, bytes) ? undefined : 'does not hold what its name says'
  const text = textOf(bytes)
  if (!/<svg[\s>]/i.test(text)) return 'holds no <svg>'
  if (/<script|<foreignObject|\son\w+\s*=|javascript:|<!ENTITY/i.test(text))
    return 'holds scripts, which a picture may not'
  return undefined
}

/** The first bytes of the formats (PNG 1.2 §3.1; JFIF 1.02; WebP container: RIFF). */
function magic(path: string, bytes: Uint8Array): boolean {
  const starts = (at: number, ...wanted: number[]) => wanted.every((byte, i) => bytes[at + i] === byte)
  if (/\.png$/i.test(path)) return starts(0, 0x89, 0x50, 0x4e, 0x47)
  if (/\.webp$/i.test(path)) return starts(0, 0x52, 0x49, 0x46, 0x46) && starts(8, 0x57, 0x45, 0x42, 0x50)
  return starts(0, 0xff, 0xd8, 0xff)
}

const textOf = (content: string | Uint8Array): string =>
  typeof content === 'string' ? content : new TextDecoder().decode(content)

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content
