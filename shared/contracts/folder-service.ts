/** What a folder of files as a service can do: all of it, or what changes nothing. */
import { defineService } from '../rpc/contract/service-contract.ts'

/** Of one `get`, `put` or `upload`, in bytes; more goes by `chunks` and by uploads. */
export const MOST_WHOLE_BYTES = 16 * 1024 * 1024
/** Of one `list`. */
export const MOST_LISTED = 1000

const path = { type: 'string', description: 'Where in the folder: results/2026/run-7.csv.' } as const
const folder = {
  type: 'string',
  default: '',
  description: 'Which folder in it; the whole one unless given.',
} as const
const bytes = { type: 'integer', minimum: 0, unit: '1' } as const
const data = { type: 'array', of: 'uint8' } as const
const overwrite = {
  type: 'boolean',
  default: false,
  description: 'It takes the place of a file that is there.',
} as const
const entry = {
  type: 'object',
  members: {
    name: { type: 'string' },
    kind: { type: 'string', enum: ['file', 'folder', 'link', 'other'] },
    bytes,
    modified: { type: 'number', unit: 's', description: 'Epoch seconds, UTC.' },
  },
} as const
const upload = { type: 'string', description: 'What begin_upload has answered.' } as const
const count = { unit: '1', dtype: 'integer', shape: [], kind: 'reading', access: 'read' } as const

const reading = {
  list: {
    description: `What is in a folder, by name, ${MOST_LISTED} at most; next is there where more comes after it.`,
    arguments: {
      path: folder,
      after: { type: 'string', default: '', description: 'Only names behind this one: next of the answer before.' },
      most: { type: 'integer', minimum: 1, maximum: MOST_LISTED, default: MOST_LISTED },
    },
    result: {
      type: 'object',
      members: { entries: { type: 'list', items: entry }, next: { type: 'string' } },
      optional: ['next'],
    },
    idempotent: true,
  },
  stat: {
    description: 'What is at a path.',
    arguments: { path },
    result: entry,
    idempotent: true,
  },
  get: {
    description: `A file as a whole, of ${MOST_WHOLE_BYTES / 1024 / 1024} MiB at most.`,
    arguments: { path },
    result: data,
    idempotent: true,
  },
  chunks: {
    description: 'A file piece by piece, as it was when this began.',
    arguments: { path, offset: { ...bytes, default: 0, description: 'Where to begin.' } },
    items: data,
    idempotent: true,
  },
} as const

const writing = {
  put: {
    description: `Writes a file of ${MOST_WHOLE_BYTES / 1024 / 1024} MiB at most as a whole: whatever happens, the old one is there or the new one.`,
    arguments: { path, data, overwrite },
    result: entry,
  },
  begin_upload: {
    description: 'Begins to write a longer file; its bytes are kept free until it is finished, dropped or left alone.',
    arguments: { path, bytes: { ...bytes, description: 'How long it will be.' }, overwrite },
    result: { type: 'string' },
  },
  upload: {
    description: 'A piece of it, in their order; one that has come before may come again.',
    arguments: { upload, offset: bytes, data },
    idempotent: true,
  },
  finish_upload: {
    description: 'All of it has come: now it is the file.',
    arguments: { upload },
    result: entry,
  },
  drop_upload: { description: 'It is not wanted any more.', arguments: { upload }, idempotent: true },
  make_folder: {
    description: 'Makes a folder, with those that it is in; one that is there already stays.',
    arguments: { path },
    idempotent: true,
  },
  move: {
    description: 'Gives a file or a folder another path.',
    arguments: { from: path, to: path, overwrite },
  },
  remove: {
    description: 'Removes a file or a folder.',
    arguments: {
      path,
      recursive: { type: 'boolean', default: false, description: 'A folder with all that is in it.' },
    },
  },
} as const

const both = { kind: 'folder', version: '1.0', title: 'A folder of files' } as const

/** Of a folder that may be read. */
export const readFolderContract = defineService({
  ...both,
  actions: reading,
  signals: { used_bytes: count },
  events: {},
})

/** Of a folder that may be written. */
export const folderContract = defineService({
  ...both,
  actions: { ...reading, ...writing },
  signals: { used_bytes: count, quota_bytes: count },
  events: {
    changed: {
      title: 'Something in it has changed by this service',
      value: {
        type: 'object',
        members: {
          path: { type: 'string' },
          change: { type: 'string', enum: ['written', 'made', 'moved', 'removed'] },
        },
      },
    },
  },
})
