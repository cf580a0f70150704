/** One file or folder as a client is told of it, and its bytes. */
import { type FileHandle, lstat } from 'node:fs/promises'
import type { folderContract } from '@fernlab/shared/contracts/folder-service'
import type { ValueOf } from '@fernlab/shared/rpc/contract/value-spec'
import { nameIn } from './inside-folder.ts'

export type Entry = ValueOf<(typeof folderContract)['actions']['stat']['result']>

/** What is of that name; a link is one, wherever it leads. */
export async function entryOf(folder: FileHandle, name: string): Promise<Entry> {
  const found = await lstat(nameIn(folder, name))
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : found.isSymbolicLink() ? 'link' : 'other'
  return { name, kind, bytes: kind === 'file' ? found.size : 0, modified: found.mtimeMs / 1000 }
}

/** Fills the array from there on, as far as the file goes; how far that was. */
export async function readFully(file: FileHandle, data: Uint8Array, offset: number): Promise<number> {
  let done = 0
  while (done < data.length) {
    const { bytesRead } = await file.read(data, done, data.length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
