import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { mistake } from './problem.ts'

/** Hours, for what is large; a hub that says nothing for minutes is given up before. */
export const LONGEST_DOWNLOAD_MS = 24 * 3600 * 1000

export interface SaveOptions {
  readonly folder: string
  /** What it is called when the answer does not say. */
  readonly name: string
  readonly overwrite: boolean
  /** Breaks it off; the answer was asked for with it too. */
  readonly signal: AbortSignal
  readonly onProgress?: (bytes: number) => void
}

/**
 * Writes an answer into a file of the folder, whole or not at all; returns its path. A file that is there already is
 * refused and left alone, unless it is to be overwritten.
 */
export async function saveAnswer(answer: Response, options: SaveOptions): Promise<string> {
  const { folder, name, ...how } = options
  const said = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1]
  const path = join(folder, basename(said ?? name))
  const ifTaken = '--overwrite replaces it, --to names another folder.'
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw told(error, folder)
  })
  await saveWhole(answer, { ...how, path, ifTaken })
  return path
}

export interface SaveWholeOptions {
  readonly path: string
  readonly overwrite: boolean
  readonly signal: AbortSignal
  /** What to do where the name is taken. */
  readonly ifTaken: string
  /** For nobody's eyes but the person's own. */
  readonly secret?: boolean
  readonly onProgress?: (bytes: number) => void
}

/** Writes an answer beside the path, and gives it its name when all has come; returns the bytes. */
export async function saveWhole({ body }: Response, options: SaveWholeOptions): Promise<number> {
  const { path, overwrite, ifTaken, secret = false } = options
  const part = `${path}.${process.pid}.part`
  let file: FileHandle
  try {
    if (!overwrite) await refuseTaken(path, ifTaken)
    file = await open(part, 'wx', secret ? 0o600 : 0o666)
  } catch (error) {
    await body?.cancel()
    throw told(error as NodeJS.ErrnoException, path)
  }
  try {
    const bytes = await writeAll(body, file, options)
    if (overwrite) await rename(part, path)
    else await nameNew(part, path, ifTaken)
    return bytes
  } catch (error) {
    throw told(error as NodeJS.ErrnoException, path)
  } finally {
    await rm(part, { force: true })
  }
}

async function writeAll(
  body: Response['body'],
  file: FileHandle,
  { signal, onProgress }: SaveWholeOptions,
): Promise<number> {
  let bytes = 0
  const source = Readable.fromWeb(body as never).on('data', (chunk: Uint8Array) => {
    bytes += chunk.length
    onProgress?.(bytes)
  })
  try {
    await pipeline(source, file.createWriteStream(), { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw source.errored === error ? lost(error) : error
  }
  return bytes
}

/** Before anything is sent; the name is looked at once more when it is taken. */
async function refuseTaken(path: string, ifTaken: string): Promise<void> {
  const there = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (there !== undefined) throw taken(path, ifTaken)
}

/** What file systems say that have no hard links. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** Gives the part its name; fails where the name is taken, at the moment of taking it. */
export async function nameNew(part: string, path: string, ifTaken: string, tie = link): Promise<void> {
  try {
    await tie(part, path).catch(async (error: NodeJS.ErrnoException) => {
      if (!noLinks.includes(error.code ?? '')) throw error
      await copyFile(part, path, constants.COPYFILE_EXCL)
    })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? taken(path, ifTaken) : error
  }
}

const lost = (cause: unknown): LabError =>
  new LabError({
    code: 'connection-lost',
    kind: 'link',
    retry: 'later',
    message: 'the connection was lost before all had come\n  Nothing is kept of it: do it again.',
    cause,
  })

const taken = (path: string, ifTaken: string) => mistake('file-exists', `${path} is there already`, ifTaken)

/** What a disk or a folder refuses, which is no fault of the program. */
const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'its folder is not there',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'you may not write there',
  ENOTDIR: 'its folder is a file',
  EEXIST: 'it is a file',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
}

function told(error: NodeJS.ErrnoException, path: string): Error {
  const why = error.syscall === undefined ? undefined : refusals[error.code ?? '']
  return why === undefined ? error : mistake('file', `${path} can't be written (${error.code}): ${why}`)
}
