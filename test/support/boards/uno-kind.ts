import { type AvrBoard, boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'

/** The Uno of the catalogue, to be changed. */
export function unoKind(): AvrBoard {
  const kind = boardKind('uno')
  if (kind.method !== 'stk500v1') throw new Error(`an Uno is flashed by ${kind.method}`)
  return kind
}
