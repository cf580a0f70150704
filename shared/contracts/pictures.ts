/** How pictures stand in a run: a stream for each camera, a row and a file for each picture. Pure. */

/** The action of a camera that takes a picture into the run. */
export const TAKE_PICTURE = 'take_picture'
/** A longer file is not taken into a run. */
export const MOST_STILL_BYTES = 4 * 1024 * 1024
/** So many pictures may be in an attempt of a run, and so many bytes of them. */
export const MOST_STILLS = 500
export const MOST_STILLS_BYTES = 256 * 1024 * 1024
/** Where the event model's `external` says that values are names of files. */
export const IN_FILES = 'FILESTORE:'

/** The stream of a part's pictures; its one column holds the names of the files. No stream of a protocol has a dot. */
export const pictureStream = (part: string): string => `${part}.pictures`
/** Whether a stream is of pictures. */
export const isPictureStream = (stream: string): boolean => stream.endsWith('.pictures')
export const pictureStreamPart = (stream: string): string => stream.split('.')[0] ?? stream
export const pictureColumn = (part: string): string => `${part}.picture`

/** The name of the picture in row `number`, from 0, of the part's stream: `view-0001.jpg`. */
export const pictureFile = (part: string, number: number): string =>
  `${part}-${String(number + 1).padStart(4, '0')}.jpg`

/** Which picture a name is of; undefined for one that is no picture's. */
export function readPictureFile(file: string): { readonly part: string; readonly number: number } | undefined {
  const [, part, counted] = /^([A-Za-z][A-Za-z0-9_]{0,62})-(\d{4,6})\.jpg$/.exec(file) ?? []
  const number = Number(counted) - 1
  return part !== undefined && number >= 0 && pictureFile(part, number) === file ? { part, number } : undefined
}

/** Whether these are a JPEG file's first bytes: SOI of ITU-T T.81. */
export const isJpeg = (bytes: Uint8Array): boolean => bytes.length > 2 && bytes[0] === 0xff && bytes[1] === 0xd8
