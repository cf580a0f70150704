/**
 * A film as a Matroska file (RFC 9559) of motion JPEG: each picture as it is, with its own time. Pure.
 *
 * INVARIANTS: where each byte of the file is follows from the times and the sizes of the pieces alone, without the pictures:
 * a piece is a cluster, and all that stands around pictures is of a fixed length.
 */

export interface FilmFacts {
  readonly title: string
  readonly part: string
  readonly width: number
  readonly height: number
  /** Of the first picture, epoch ms. */
  readonly beganMs: number
  /** From the first picture to the end of the last. */
  readonly lengthMs: number
}

/** What a cluster is made of: bytes of all its pictures, and when each is shown, in whole ms from the film's beginning. */
export interface ClusterFacts {
  readonly jpegBytes: number
  readonly shownMs: readonly number[]
}

export interface FilmLayout {
  readonly head: Uint8Array
  /** Where each cluster is in the file. */
  readonly clusters: readonly { readonly at: number; readonly bytes: number }[]
  readonly bytes: number
}

/** Blocks of a cluster are told relative to its beginning in 16 bits, with a sign. */
const MOST_CLUSTER_MS = 32_767
const CLUSTER_HEAD_BYTES = 22
const BLOCK_HEAD_BYTES = 9
/** Of 2001-01-01, from which Matroska counts, in epoch ms. */
const MILLENNIUM_MS = Date.UTC(2001, 0, 1)
const id = {
  ebml: [0x1a, 0x45, 0xdf, 0xa3],
  ebmlVersion: [0x42, 0x86],
  ebmlReadVersion: [0x42, 0xf7],
  ebmlMaxIdLength: [0x42, 0xf2],
  ebmlMaxSizeLength: [0x42, 0xf3],
  docType: [0x42, 0x82],
  docTypeVersion: [0x42, 0x87],
  docTypeReadVersion: [0x42, 0x85],
  segment: [0x18, 0x53, 0x80, 0x67],
  info: [0x15, 0x49, 0xa9, 0x66],
  timestampScale: [0x2a, 0xd7, 0xb1],
  duration: [0x44, 0x89],
  dateUtc: [0x44, 0x61],
  title: [0x7b, 0xa9],
  muxingApp: [0x4d, 0x80],
  writingApp: [0x57, 0x41],
  tracks: [0x16, 0x54, 0xae, 0x6b],
  trackEntry: [0xae],
  trackNumber: [0xd7],
  trackUid: [0x73, 0xc5],
  trackType: [0x83],
  flagLacing: [0x9c],
  codecId: [0x86],
  name: [0x53, 0x6e],
  video: [0xe0],
  pixelWidth: [0xb0],
  pixelHeight: [0xba],
  cues: [0x1c, 0x53, 0xbb, 0x6b],
  cuePoint: [0xbb],
  cueTime: [0xb3],
  cueTrackPositions: [0xb7],
  cueTrack: [0xf7],
  cueClusterPosition: [0xf1],
  cluster: [0x1f, 0x43, 0xb6, 0x75],
  timestamp: [0xe7],
  simpleBlock: 0xa3,
} as const

/** Where everything is in the file of a film of these clusters. */
export function filmLayout(facts: FilmFacts, clusters: readonly ClusterFacts[]): FilmLayout {
  const sizes = clusters.map(
    ({ jpegBytes, shownMs }) => CLUSTER_HEAD_BYTES + BLOCK_HEAD_BYTES * shownMs.length + jpegBytes,
  )
  const cuesBytes = CUES_HEAD_BYTES + CUE_POINT.length * clusters.length
  const before = [...infoOf(facts), ...tracksOf(facts)]
  const first = before.length + cuesBytes
  const all = first + sizes.reduce((sum, size) => sum + size, 0)
  const start = [...ebmlHead(), ...id.segment, ...size(all)]
  const head = new Uint8Array(start.length + first)
  head.set([...start, ...before])
  writeCues(new DataView(head.buffer, start.length + before.length), clusters, sizes, first)
  let at = head.length
  const placed = sizes.map((bytes) => {
    const place = { at, bytes }
    at += bytes
    return place
  })
  return { head, clusters: placed, bytes: at }
}

/** The bytes of a cluster of these pictures; as many as its layout says. */
export function clusterBytes(shownMs: readonly number[], jpegs: readonly Uint8Array[]): Uint8Array {
  const content = jpegs.reduce((sum, { length }) => sum + BLOCK_HEAD_BYTES + length, 0)
  const bytes = new Uint8Array(CLUSTER_HEAD_BYTES + content)
  const begins = shownMs[0] ?? 0
  bytes.set([
    ...id.cluster,
    ...size(CLUSTER_HEAD_BYTES - id.cluster.length - 8 + content),
    ...unsigned(id.timestamp, begins),
  ])
  const view = new DataView(bytes.buffer)
  let at = CLUSTER_HEAD_BYTES
  for (const [i, jpeg] of jpegs.entries()) {
    bytes[at] = id.simpleBlock
    // A size of four bytes begins with 1; then the track, as such a number of one byte.
    view.setUint32(at + 1, 0x1000_0000 + 4 + jpeg.length)
    bytes[at + 5] = 0x81
    view.setInt16(at + 6, Math.min(MOST_CLUSTER_MS, (shownMs[i] ?? begins) - begins))
    // Each picture can be shown by itself.
    bytes[at + 8] = 0x80
    bytes.set(jpeg, at + BLOCK_HEAD_BYTES)
    at += BLOCK_HEAD_BYTES + jpeg.length
  }
  return bytes
}

/** Where each cluster begins, from the beginning of the segment's content on; for an hour there are 3600. */
function writeCues(view: DataView, clusters: readonly ClusterFacts[], sizes: readonly number[], first: number): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset)
  bytes.set([...id.cues, ...size(CUE_POINT.length * clusters.length)])
  let place = first
  for (const [i, { shownMs }] of clusters.entries()) {
    const at = CUES_HEAD_BYTES + CUE_POINT.length * i
    bytes.set(CUE_POINT, at)
    view.setBigUint64(at + CUE_TIME_AT, BigInt(shownMs[0] ?? 0))
    view.setBigUint64(at + CUE_PLACE_AT, BigInt(place))
    place += sizes[i] ?? 0
  }
}

function ebmlHead(): number[] {
  return element(id.ebml, [
    ...unsigned(id.ebmlVersion, 1),
    ...unsigned(id.ebmlReadVersion, 1),
    ...unsigned(id.ebmlMaxIdLength, 4),
    ...unsigned(id.ebmlMaxSizeLength, 8),
    ...text(id.docType, 'matroska'),
    ...unsigned(id.docTypeVersion, 4),
    ...unsigned(id.docTypeReadVersion, 2),
  ])
}

function infoOf({ title, beganMs, lengthMs }: FilmFacts): number[] {
  const date = BigInt(Math.round(beganMs) - MILLENNIUM_MS) * 1_000_000n
  return element(id.info, [
    // Times are in ms.
    ...unsigned(id.timestampScale, 1_000_000),
    ...element(
      id.duration,
      eight((view) => view.setFloat64(0, lengthMs)),
    ),
    ...element(
      id.dateUtc,
      eight((view) => view.setBigInt64(0, date)),
    ),
    ...text(id.title, title),
    ...text(id.muxingApp, 'Fernlab'),
    ...text(id.writingApp, 'Fernlab'),
  ])
}

function tracksOf({ part, width, height }: FilmFacts): number[] {
  const video = element(id.video, [...unsigned(id.pixelWidth, width), ...unsigned(id.pixelHeight, height)])
  const track = [
    ...unsigned(id.trackNumber, 1),
    ...unsigned(id.trackUid, 1),
    ...unsigned(id.trackType, 1),
    ...unsigned(id.flagLacing, 0),
    ...text(id.codecId, 'V_MJPEG'),
    ...text(id.name, part),
    ...video,
  ]
  return element(id.tracks, element(id.trackEntry, track))
}

const element = (name: readonly number[], content: readonly number[]): number[] => [
  ...name,
  ...size(content.length),
  ...content,
]

/** Of eight bytes, however small it is. */
const size = (bytes: number): number[] => [0x01, ...eight((view) => view.setBigUint64(0, BigInt(bytes))).slice(1)]

/** An integer of eight bytes, after a size of one. */
const unsigned = (name: readonly number[], value: number): number[] => [
  ...name,
  0x88,
  ...eight((view) => view.setBigUint64(0, BigInt(value))),
]

const text = (name: readonly number[], value: string): number[] => element(name, [...new TextEncoder().encode(value)])

function eight(write: (view: DataView) => void): number[] {
  const bytes = new Uint8Array(8)
  write(new DataView(bytes.buffer))
  return [...bytes]
}

const CUES_HEAD_BYTES = id.cues.length + 8
/** A point of the index, without its time and its place, which are set for each. */
const CUE_POINT = element(id.cuePoint, [
  ...unsigned(id.cueTime, 0),
  ...element(id.cueTrackPositions, [...unsigned(id.cueTrack, 1), ...unsigned(id.cueClusterPosition, 0)]),
])
const CUE_TIME_AT = id.cuePoint.length + 8 + id.cueTime.length + 1
const CUE_PLACE_AT = CUE_POINT.length - 8
