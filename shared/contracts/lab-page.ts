/**
 * A lab's own page: the files that it may hold, and what it and the hub's page say to each other over a MessagePort. Light,
 * since both pages look at it.
 */
import type { Scalar, SignalSpec } from '../capabilities/signals.ts'
import type { SessionState } from './sessions.ts'
import type { SessionSamples } from './sync.ts'

/** Pictures that a browser shows, by the ends of their names. */
export const pictureTypes: Readonly<Record<string, string>> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
}

/** What a lab's page may be made of, by the end of a file's name. */
export const pageFileTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  ...pictureTypes,
  ico: 'image/x-icon',
  woff: 'font/woff',
  woff2: 'font/woff2',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
  glb: 'model/gltf-binary',
  wasm: 'application/wasm',
}

/** The end of a file's name, which says what it is. */
export const endingOf = (path: string): string => /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''

/** The folder of a lab's page with its slash; undefined where the page is not in a folder of its own. */
export function pageFolder(page: string): string | undefined {
  const folder = page.slice(0, page.lastIndexOf('/') + 1)
  return folder === '' || folder.startsWith('protocols/') ? undefined : folder
}

/** The version of what the two pages say to each other. */
export const LAB_PAGE_VERSION = 1

/** Posted by the library to the window around it; the answer, with a port, carries the same nonce. */
export interface PageHello {
  readonly fernlab: typeof LAB_PAGE_VERSION
  readonly hello: string
}
export interface PageWelcome {
  readonly fernlab: typeof LAB_PAGE_VERSION
  readonly welcome: string
  readonly state: PageState
}

export type PageSignal = Pick<SignalSpec, 'unit' | 'dtype' | 'access' | 'limits' | 'values'> & {
  readonly title: string
}

/** All that a lab's page is told of the session: nothing of the person in it. */
export interface PageState {
  readonly session: SessionState
  /** Whether commands are taken from this page now: the bench can be reached, and the person has the controls. */
  readonly ready: boolean
  readonly role: 'owner' | 'partner' | 'observer'
  /** Seconds that are left; null until it is known. */
  readonly secondsLeft: number | null
  /** The signals of the bench by `part.signal`. */
  readonly signals: Readonly<Record<string, PageSignal>>
  /** As the hub's page is shown: `en`, `es`. */
  readonly language: string
  readonly theme: 'light' | 'dark'
}

/** What a lab's page may ask for. */
export interface PageCalls {
  set: { readonly values: Readonly<Record<string, Scalar>> }
  call: { readonly action: string; readonly arguments?: Readonly<Record<string, Scalar>> }
  read: { readonly signals: readonly string[] }
  extend: { readonly seconds: number }
  finish: Readonly<Record<string, never>>
  /** A stream of the session, as CSV. */
  data: { readonly stream: string }
  /** The same, saved among the person's downloads. */
  download: { readonly stream: string }
}
export type PageMethod = keyof PageCalls

/** On the port, from the lab's page. */
export type FromLabPage =
  | { readonly id: number; readonly method: PageMethod; readonly params: unknown }
  | { readonly height: number }
  | { readonly pong: number }

export interface PageError {
  readonly code: string
  readonly message: string
}

/** On the port, to the lab's page. */
export type ToLabPage =
  | { readonly state: PageState }
  | { readonly samples: SessionSamples }
  | { readonly ping: number }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PageError }
